"""Making and editing webhooks. The pages are ours and not the admin's, which would hold a transaction open while the
address is looked up. A secret is on the page that answers its making, and nowhere else."""

import datetime as dt
from typing import Any

from django.contrib.admin.options import csrf_protect_m
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.once import done_once, once
from fieldcamp.desk.users import desk_user_of
from fieldcamp.webhooks import services
from fieldcamp.webhooks.admin.forms import EndpointForm, SecretRotationForm
from fieldcamp.webhooks.admin.notices import webhook_changed, webhook_made, webhook_rotated
from fieldcamp.webhooks.admin.rights import scopes_of
from fieldcamp.webhooks.checked_urls import checked_url
from fieldcamp.webhooks.errors import ScopeMissing
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.samples import SAMPLES, VARIABLE
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition


class EditingMixin:
    """Pages of `WebhookEndpointAdmin`, which has `endpoint` and `page`."""

    def get_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("check/", view(self.check_view), name="webhooks_webhookendpoint_check"),
            path("<path:object_id>/edit/", view(self.edit_view), name="webhooks_webhookendpoint_edit"),
            path("<path:object_id>/rotate/", view(self.rotate_view), name="webhooks_webhookendpoint_rotate"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @confirmed
    @csrf_protect_m
    @once
    def add_view(self: Any, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Asks for a new webhook, and answers with the page that shows its secret."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        desk_user = desk_user_of(request)
        scopes = scopes_of(desk_user)
        form = EndpointForm(
            request.POST if request.method == "POST" else None, scopes=scopes, initial={"preset": "everything"}
        )

        def create(values: dict[str, Any]) -> tuple[WebhookEndpoint, str]:
            workspace = desk_user.workspace
            if workspace is None:
                raise InvalidTransition(gettext("There is no company yet."))
            # Before anything is locked: the name is looked up.
            url = checked_url(values.pop("url"))
            return services.create_endpoint(
                workspace=workspace, url=url, scopes=scopes, created_by=desk_user.name, **values
            )

        if made := form.attempt(create, (ScopeMissing,)):
            endpoint, secret = made
            webhook_made(request.user, endpoint)
            self.log_addition(request, endpoint, gettext("Added."))
            # Rendered here, not after a redirect: the secret would have to be kept somewhere in between.
            done_once(request, page_of(endpoint))
            return self._show_secret(request, endpoint, secret)
        return self._form_page(request, form, None, gettext("Add webhook"))

    @confirmed
    def edit_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Changes what is sent, where to and how."""
        endpoint = self.endpoint(request, object_id)
        scopes = scopes_of(desk_user_of(request))
        form = EndpointForm(request.POST if request.method == "POST" else None, scopes=scopes, endpoint=endpoint)

        def change(values: dict[str, Any]) -> WebhookEndpoint:
            changes: dict[str, Any] = {
                name: value for name, value in values.items() if value != getattr(endpoint, name)
            }
            if "url" in changes:
                changes["url"] = checked_url(changes["url"])
            return services.change_endpoint(
                workspace=endpoint.workspace, endpoint_id=endpoint.pk, changes=changes, scopes=scopes
            )

        changed = form.attempt(change, (ScopeMissing,))
        if changed is None:
            return self._form_page(request, form, endpoint, gettext("Edit webhook"))
        if changed.url != endpoint.url:
            webhook_changed(request.user, changed)
        self.log_change(request, changed, gettext("Changed."))
        self.message_user(request, gettext("The webhook is saved."))
        return HttpResponseRedirect(page_of(changed))

    def _form_page(
        self: Any, request: HttpRequest, form: EndpointForm, endpoint: WebhookEndpoint | None, title: str
    ) -> HttpResponse:
        status = 400 if form.errors else 200
        # Whoever tries it without scripts asks by a button of the form.
        checked = url_answer(form["url"].value() or "") if form.errors and "url" not in form.errors else None
        return self.page(request, "form.html", endpoint, status, title=title, form=form, checked=checked)

    def check_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Says whether events may be sent to the address that is being typed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self.page(request, "url_checked.html", None, checked=url_answer(request.POST.get("url", "")))

    @confirmed
    @once
    def rotate_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rotates the secret: GET asks how long the old one is used as well, POST shows the new one."""
        endpoint = self.endpoint(request, object_id)
        form = SecretRotationForm(request.POST if "overlap" in request.POST else None)
        if not form.is_valid():
            status = 400 if form.is_bound else 200
            return self.page(request, "rotate.html", endpoint, status, title=gettext("New secret"), form=form)
        overlap = dt.timedelta(hours=form.cleaned_data["overlap"])
        try:
            rotated, secret = services.rotate_secret(endpoint, overlap, scopes=scopes_of(desk_user_of(request)))
        except (ScopeMissing, WebhookEndpoint.DoesNotExist) as error:
            return self.refused(request, endpoint, error)
        self.log_change(request, rotated, gettext("Rotated."))
        webhook_rotated(request.user, rotated)
        done_once(request, page_of(rotated))
        return self._show_secret(request, rotated, secret, rotated=True)

    def _show_secret(
        self: Any, request: HttpRequest, endpoint: WebhookEndpoint, secret: str, rotated: bool = False
    ) -> HttpResponse:
        return self.page(
            request,
            "secret.html",
            endpoint,
            title=gettext("Copy the secret now"),
            secret=secret,
            rotated=rotated,
            now=timezone.now(),
            samples=SAMPLES,
            variable=VARIABLE,
        )


def page_of(endpoint: WebhookEndpoint) -> str:
    return reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])


def url_answer(text: str) -> dict[str, str] | None:
    """Returns what is said below the address: whether events can be sent there, or why not; None while nothing is
    entered."""
    text = text.strip()
    if not text:
        return None
    try:
        checked_url(text)
    except InvalidFields as error:
        return {"tone": "danger", "text": " ".join(sum(error.details.values(), []))}
    except ValidationError as error:
        return {"tone": "danger", "text": " ".join(error.messages)}
    return {"tone": "success", "text": gettext("Events can be sent here.")}
