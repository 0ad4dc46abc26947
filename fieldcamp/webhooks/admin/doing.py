"""The buttons of a webhook's page: each calls one service and says what came of it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import csrf_protect_m
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.users import desk_user_of
from fieldcamp.webhooks import monitoring, services
from fieldcamp.webhooks.admin import words
from fieldcamp.webhooks.admin.editing import page_of
from fieldcamp.webhooks.admin.forms import EnableForm, TestForm
from fieldcamp.webhooks.admin.rights import may_change
from fieldcamp.webhooks.errors import ScopeMissing, TooManyTests
from fieldcamp.webhooks.models import RECEIVING, WebhookEndpoint
from fieldcamp.webhooks.subscriptions import ON_REQUEST, subscribed
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition

REFUSALS = (InvalidFields, InvalidTransition, ScopeMissing, TooManyTests, WebhookEndpoint.DoesNotExist)
# What failed longer ago has been dealt with in another way; the API replays any range.
RESENT = dt.timedelta(days=30)
Status = WebhookEndpoint.Status


class DoingMixin:
    """Buttons of `WebhookEndpointAdmin`, which has `endpoint` and `page`."""

    def get_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = ("test", "pause", "resume", "enable", "resend")
        return [
            *(
                path(
                    f"<path:object_id>/{deed}/",
                    view(getattr(self, f"{deed}_view")),
                    name=f"webhooks_webhookendpoint_{deed}",
                )
                for deed in deeds
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def deeds_of(
        self: Any, request: HttpRequest, endpoint: WebhookEndpoint, waiting: int, numbers: monitoring.DayNumbers
    ) -> dict[str, Any]:
        """Returns which buttons the page has."""
        if not may_change(desk_user_of(request)):
            return {}
        receives = endpoint.status in RECEIVING
        return {
            "test_form": TestForm(types=test_types(endpoint)),
            "may_pause": endpoint.status in (Status.ENABLED, Status.FAILING),
            "may_resume": endpoint.status == Status.PAUSED,
            "may_enable": endpoint.status in (Status.DISABLED, Status.FAILING)
            or (endpoint.missed_since is not None and endpoint.status in RECEIVING),
            "may_resend": receives and monitoring.has_failed(endpoint),
        }

    def refused(self: Any, request: HttpRequest, endpoint: WebhookEndpoint, error: Exception) -> HttpResponse:
        """Says why something is not done, on the endpoint's page."""
        if isinstance(error, WebhookEndpoint.DoesNotExist):
            raise Http404 from error
        said = " ".join(sum(error.details.values(), [])) if isinstance(error, InvalidFields) else str(error)
        self.message_user(request, said, messages.WARNING)
        return HttpResponseRedirect(page_of(endpoint))

    def _do(
        self: Any, request: HttpRequest, object_id: str, call: Callable[[WebhookEndpoint], str], record: str
    ) -> HttpResponse:
        """Calls the service, says its sentence, and goes back to the endpoint's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        endpoint = self.endpoint(request, object_id)
        try:
            said = call(endpoint)
        except REFUSALS as error:
            return self.refused(request, endpoint, error)
        self.log_change(request, endpoint, record)
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(page_of(endpoint))

    def test_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends a test and shows what was answered: beside the button, or on a page of its own without scripts."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        endpoint = self.endpoint(request, object_id)
        form = TestForm(request.POST, types=test_types(endpoint))
        result: dict[str, Any] = {"tone": "danger", "text": gettext("This webhook is sent no such event.")}
        if form.is_valid():
            try:
                result = _tested(endpoint, form.cleaned_data["type"] or ON_REQUEST)
            except REFUSALS as error:
                result = {"tone": "warning", "text": str(error)}
            self.log_change(request, endpoint, gettext("Test sent."))
        template = "tested.html" if "HX-Request" in request.headers else "test.html"
        return self.page(request, template, endpoint, title=gettext("Test"), result=result)

    def pause_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        def pause(endpoint: WebhookEndpoint) -> str:
            services.pause(endpoint)
            return gettext("Paused: events are kept until you resume it.")

        return self._do(request, object_id, pause, gettext("Paused."))

    def resume_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        def resume(endpoint: WebhookEndpoint) -> str:
            services.resume(endpoint)
            return gettext("Resumed: what has waited is sent now.")

        return self._do(request, object_id, resume, gettext("Resumed."))

    def enable_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Enables it again: GET asks whether what was missed is to be sent."""
        if request.method != "POST":
            endpoint = self.endpoint(request, object_id)
            title = gettext("Enable webhook")
            return self.page(request, "enable.html", endpoint, title=title, form=EnableForm())
        form = EnableForm(request.POST)
        form.is_valid()

        def enable(endpoint: WebhookEndpoint) -> str:
            _endpoint, missed = services.enable(endpoint, replay_missed=form.cleaned_data["replay_missed"])
            said = gettext("Enabled: events are sent again.")
            if missed.queued:
                said = ngettext(
                    "Enabled: {number} event that was missed is sent now.",
                    "Enabled: {number} events that were missed are sent now.",
                    missed.queued,
                ).format(number=f"{missed.queued:,}")
            if missed.left:
                more = ngettext(
                    "{number} more was missed and is kept: enable the webhook again to send it.",
                    "{number} more were missed and are kept: enable the webhook again to send them.",
                    missed.left,
                )
                said = f"{said} {more.format(number=f'{missed.left:,}')}"
            return said

        return self._do(request, object_id, enable, gettext("Enabled."))

    def resend_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Queues what has failed again."""

        def resend(endpoint: WebhookEndpoint) -> str:
            queued = services.replay_range(endpoint, timezone.now() - RESENT)
            if not queued.count:
                return gettext("Nothing is left to be sent again.")
            said = ngettext(
                "{number} failed event is sent again.", "{number} failed events are sent again.", queued.count
            ).format(number=f"{queued.count:,}")
            if queued.continue_from:
                said = f"{said} {gettext('There are more: press the button again when these have been sent.')}"
            return said

        return self._do(request, object_id, resend, gettext("Failed events sent again."))

    @csrf_protect_m
    def delete_view(self: Any, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Deletes the webhook: GET says what that means."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        endpoint = self.endpoint(request, object_id)
        if request.method != "POST":
            waiting = monitoring.waiting_of(endpoint)
            return self.page(request, "delete.html", endpoint, title=gettext("Delete webhook"), waiting=waiting)
        try:
            services.delete_endpoint(workspace=endpoint.workspace, endpoint_id=endpoint.pk)
        except REFUSALS as error:
            return self.refused(request, endpoint, error)
        self.log_deletions(request, [endpoint])
        said = gettext("The webhook to {host} is deleted. Nothing is sent there any more.")
        self.message_user(request, said.format(host=words.plain_host(endpoint)), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:webhooks_webhookendpoint_changelist"))


def test_types(endpoint: WebhookEndpoint) -> list[str]:
    """Returns the types that a test may look like: its own, and those that the endpoint is sent."""
    return [ON_REQUEST, *(each.name for each in subscribed(endpoint.events, endpoint.scopes))]


def _tested(endpoint: WebhookEndpoint, event_type: str) -> dict[str, Any]:
    """Sends the test and returns what is said of it."""
    outcome = services.send_test(endpoint, event_type)
    return {
        "tone": "success" if outcome.delivered else "danger",
        "text": words.answered(outcome.status, outcome.error, outcome.ms),
        "hint": "" if outcome.delivered else words.HINTS.get(outcome.status or 0, ""),
        "excerpt": outcome.excerpt if outcome.error != words.BLOCKED else "",
        "enabled": outcome.enabled,
        "offers": outcome.delivered and not outcome.enabled and endpoint.status == Status.DISABLED,
    }
