"""Webhooks: the list, and the page of one with its log."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.lists.changelist import DeskChangeList
from fieldcamp.desk.lists.exporting import chosen, field, worked_out
from fieldcamp.desk.lists.words import EmptyList
from fieldcamp.desk.users import desk_user_of
from fieldcamp.webhooks import monitoring
from fieldcamp.webhooks.admin import words
from fieldcamp.webhooks.admin.doing import DoingMixin
from fieldcamp.webhooks.admin.editing import EditingMixin
from fieldcamp.webhooks.admin.rights import may_change
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint


class EndpointList(DeskChangeList):
    """The list's rows with their numbers, which are asked for once for all of them."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = self.result_list = list(self.result_list)
        days, p95s = monitoring.of_last_day(rows), monitoring.p95_of(rows)
        for row in rows:
            row.day, row.p95 = days[row.pk], p95s.get(row.pk)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EditingMixin, DoingMixin, ScopedAdmin):
    needs = {"view": "view", "add": "settings", "change": "settings", "delete": "settings"}
    list_display = ("place", "types", "shown_status", "last_day", "last_success", "p95")
    list_filter = ("status",)
    search_fields = ("url", "description", "=id")
    search_help_text = _("Address or description")
    empty = EmptyList(
        _("No webhooks yet. A program that is to hear of changes at once is sent them to its address."),
        _("Add a webhook"),
        "admin:webhooks_webhookendpoint_add",
        "settings",
    )
    cells = (
        worked_out(words.plain_host, _("Host")), field("description", _("Description")),
        worked_out(words.types_of, _("Events")), chosen("status", _("State")),
        field("last_delivered_at", _("Last success")), field("created_at", _("Created")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        # Pages are to come up also where the key of the secrets is missing.
        rows = super().get_queryset(request).filter(deleted_at=None)
        return rows.select_related("workspace").defer("secret", "previous_secret")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeskChangeList]:
        return EndpointList

    @display(description=_("Address"), ordering="url")
    def place(self, endpoint: WebhookEndpoint) -> Any:
        return words.host_of(endpoint)

    @display(description=_("Events"))
    def types(self, endpoint: WebhookEndpoint) -> str:
        return words.types_of(endpoint)

    @display(description=_("State"), ordering="status", label={key.value: tone for key, tone in words.TONES.items()})
    def shown_status(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        return endpoint.status, words.SHORT[WebhookEndpoint.Status(endpoint.status)]

    @display(description=_("Last 24 hours"))
    def last_day(self, endpoint: Any) -> Any:
        return words.bar(endpoint.day)

    last_success = staticmethod(moment("last_delivered_at", _("Last success"), relative=True))

    @display(description=_("Response time (p95)"))
    def p95(self, endpoint: Any) -> str:
        return words.length(endpoint.p95)

    def endpoint(self, request: HttpRequest, object_id: str, *, change: bool = True) -> WebhookEndpoint:
        """Returns the endpoint for who may change it, or see it; raises 404 for what is not the company's."""
        if not (self.has_change_permission(request) if change else self.has_view_permission(request)):
            raise PermissionDenied
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return found

    def page(
        self, request: HttpRequest, template: str, endpoint: WebhookEndpoint | None, status: int = 200, **context: Any
    ) -> HttpResponse:
        """Returns a page in the desk's frame."""
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "original": endpoint}
        context["endpoint"] = endpoint
        context["shown_url"] = f"{words.plain_host(endpoint)}{words.path_of(endpoint)}" if endpoint else ""
        return TemplateResponse(request, f"admin/webhooks/{template}", context, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the endpoint's page: how it does, what can be done, its log."""
        endpoint = self.endpoint(request, object_id, change=False)
        return self.page(request, "endpoint.html", endpoint, **self.context_of(request, endpoint))

    def context_of(self, request: HttpRequest, endpoint: WebhookEndpoint) -> dict[str, Any]:
        """Returns what the endpoint's page shows. What a filter does not know is taken as not asked."""
        asked = {name: request.GET.get(name, "").strip()[:64] for name in ("state", "type", "record", "before")}
        if any("\x00" in each for each in asked.values()):
            raise Http404  # PostgreSQL refuses NUL in any text
        state = asked["state"] if asked["state"] in WebhookDelivery.State.values else ""
        event_type = asked["type"] if asked["type"] in EVENT_TYPES else ""
        log = monitoring.deliveries(
            endpoint, state=state, event_type=event_type, record=asked["record"], before=asked["before"]
        )
        kept = {"state": state, "type": event_type, "record": asked["record"]}
        waiting, failure = monitoring.waiting_of(endpoint), monitoring.last_failure_of(endpoint)
        numbers = monitoring.of_last_day([endpoint])[endpoint.pk]
        return {
            "title": words.plain_host(endpoint),
            "support_reference": endpoint.pk,
            "tone": words.TONES[WebhookEndpoint.Status(endpoint.status)],
            "short": words.SHORT[WebhookEndpoint.Status(endpoint.status)],
            "sentence": words.sentence(
                endpoint, waiting=waiting, failure=failure, next_at=monitoring.next_of(endpoint)
            ),
            "bar": words.bar(numbers),
            "p95": words.length(monitoring.p95_of([endpoint]).get(endpoint.pk)),
            "types": endpoint.events,
            "sources": words.sources_of(endpoint.sources),
            "overlaps": bool(endpoint.previous_secret_until and endpoint.previous_secret_until > timezone.now()),
            "may_change": may_change(desk_user_of(request)),
            "log": [{"delivery": row, "tone": words.STATE_TONES[WebhookDelivery.State(row.state)]} for row in log.rows],
            "older": urlencode({**kept, "before": log.older}) if log.older else "",
            "newest": urlencode(kept) if asked["before"] else "",
            "asked": {**asked, **kept},
            "filtered": any(kept.values()),
            "states": WebhookDelivery.State.choices,
            "event_types": sorted(EVENT_TYPES),
            **self.deeds_of(request, endpoint, waiting, numbers),
        }
