"""One delivery: what was sent and answered, each try of it, and sending it again. The log is on the endpoint's page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.users import desk_user_of
from fieldcamp.encryption import DecryptionError
from fieldcamp.webhooks import rendered_requests, services
from fieldcamp.webhooks.admin import words
from fieldcamp.webhooks.admin.rights import may_change, may_see_payloads
from fieldcamp.webhooks.admin.subjects import subjects_of
from fieldcamp.webhooks.models import RECEIVING, DeliveryAttempt, WebhookDelivery
from fieldcamp.workspace.errors import InvalidTransition


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ScopedAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        rows = super().get_queryset(request).filter(endpoint__deleted_at=None)
        return rows.select_related("endpoint", "event").defer("endpoint__secret", "endpoint__previous_secret")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/resend/", view(self.resend_view), name="webhooks_webhookdelivery_resend"),
            path("<path:object_id>/curl/", view(self.curl_view), name="webhooks_webhookdelivery_curl"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Leads to the endpoints: each of them has its log on its page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:webhooks_webhookendpoint_changelist"))

    def _delivery(self, request: HttpRequest, object_id: str, *, change: bool = False) -> WebhookDelivery:
        if not self.has_view_permission(request) or (change and not may_change(desk_user_of(request))):
            raise PermissionDenied
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the delivery's page."""
        return self._page(request, "delivery.html", self._delivery(request, object_id))

    def _page(self, request: HttpRequest, template: str, delivery: WebhookDelivery, **context: Any) -> HttpResponse:
        desk_user = desk_user_of(request)
        manages, endpoint = may_change(desk_user), delivery.endpoint
        found = subjects_of([delivery.event])
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": delivery,
            "title": delivery.event.type,
            "support_reference": delivery.pk,
            "delivery": delivery,
            "endpoint": endpoint,
            "host": words.plain_host(endpoint),
            "path_shown": words.path_of(endpoint),
            "tone": words.STATE_TONES[WebhookDelivery.State(delivery.state)],
            "about": found.about(delivery.event),
            "origin": found.came_from(delivery.event),
            "tries": [_try(each, shows=manages) for each in delivery.tries.order_by("number")],
            "replays": delivery.replays.order_by("created_at", "pk")[:20],
            "request_shown": rendered_requests.shown(delivery) if may_see_payloads(desk_user) else None,
            "may_change": manages,
            "may_resend": manages and endpoint.status in RECEIVING and delivery.state != WebhookDelivery.State.SENDING,
            "may_copy": manages,
        }
        return TemplateResponse(request, f"admin/webhooks/{template}", context)

    def resend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends the event again, and leads to the new delivery."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        delivery = self._delivery(request, object_id, change=True)
        try:
            queued = services.replay(delivery)
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
            return HttpResponseRedirect(_page_of(delivery))
        self.log_change(request, delivery, gettext("Sent again."))
        said = gettext("The event is sent again: load this page anew in a few seconds to see what was answered.")
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(_page_of(queued))

    def curl_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows a command that sends this delivery, signed now: receivers take the signature for some minutes."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        delivery = self._delivery(request, object_id, change=True)
        try:
            command = rendered_requests.as_curl(delivery)
        except DecryptionError:
            command = "# " + gettext("The secret cannot be read: its encryption key is missing. Make a new secret.")
        template = "curl.html" if "HX-Request" in request.headers else "delivery.html"
        response = self._page(request, template, delivery, command=command)
        response["Cache-Control"] = "no-store"
        return response


def _page_of(delivery: WebhookDelivery) -> str:
    return reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])


def _try(attempt: DeliveryAttempt, *, shows: bool) -> dict[str, Any]:
    """Returns one try for the timeline; what was answered only for those who manage."""
    good = bool(attempt.status and 200 <= attempt.status < 300 and not attempt.error)
    return {
        "attempt": attempt,
        "tone": "success" if good else "danger",
        "sentence": words.answered(attempt.status, attempt.error, attempt.ms),
        "hint": "" if good else words.HINTS.get(attempt.status or 0, ""),
        "slow": good and attempt.ms > words.LONGEST * 800,
        # What a server of a private network has answered is shown to nobody.
        "excerpt": attempt.excerpt if shows and attempt.error != words.BLOCKED else "",
    }
