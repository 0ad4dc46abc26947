"""What has happened, as programs are told of it: the list, and one event with where it was sent."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.lists.exporting import field, worked_out
from fieldcamp.desk.lists.words import EmptyList
from fieldcamp.desk.users import desk_user_of
from fieldcamp.webhooks.admin import words
from fieldcamp.webhooks.admin.rights import may_see_payloads
from fieldcamp.webhooks.admin.sources import source_of, with_heads
from fieldcamp.webhooks.admin.subjects import subjects_of
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEvent
from fieldcamp.webhooks.rendered_requests import pretty
from fieldcamp.workspace.admin.audit_words import names_of
from fieldcamp.workspace.searching import words as words_of


class TypeFilter(admin.SimpleListFilter):
    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in EVENT_TYPES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(type=self.value()) if self.value() in EVENT_TYPES else queryset


@admin.register(WebhookEvent)
class WebhookEventAdmin(ScopedAdmin):
    list_display = ("happened", "type", "about", "came_from", "sent_to")
    list_filter = ("source", TypeFilter)
    search_fields = ("id", "record_id")
    empty = EmptyList(_("No events yet. Each change of a record, and each sync, makes one."))
    cells = (
        field("created_at", _("Happened")), field("type", _("Type")),
        worked_out(lambda event: source_of(event).label, _("Where it came from")),
        worked_out(lambda event: event.names.get(source_of(event).actor) or source_of(event).actor, _("Who")),
    )  # fmt: skip
    search_help_text = _("A whole event id, or the id of a record")
    # What has not been numbered yet is the latest.
    ordering = (F("sequence").desc(nulls_first=True), "-id")
    list_display_links = ("happened", "type")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        return with_heads(super().get_queryset(request)).prefetch_related(
            # The first delivery to each endpoint: how often it was sent again is on the event's page.
            Prefetch("deliveries", _shown_deliveries().filter(replay_of=None), to_attr="sent")
        )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Finds an event, or those of a record, by the whole id: each has an index, and both at once have none."""
        term = " ".join(words_of(search_term))
        name = "pk" if term.startswith("evt_") else "record_id"
        return (queryset.filter(**{name: term}) if term else queryset), False

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        names = names_of(desk_user_of(request), (source_of(row).actor for row in rows))
        for row in rows:
            row.names = names
        found = subjects_of(rows)
        for row in rows:
            row.said_about, row.said_origin = found.about(row), found.came_from(row)

    happened = staticmethod(moment("created_at", _("Happened"), relative=True))

    @display(description=_("Record"))
    def about(self, event: Any) -> Any:
        if not event.record_id:
            return "–"
        url = reverse("admin:webhooks_webhookevent_changelist")
        line = '{} <a class="fc-line fc-muted" href="{}?q={}">{}</a>'
        return format_html(line, event.said_about, url, event.record_id, gettext("all of its events"))

    @display(description=_("Where it came from"))
    def came_from(self, event: Any) -> Any:
        return event.said_origin

    @display(description=_("Sent to"))
    def sent_to(self, event: Any) -> Any:
        links = [
            (
                reverse("admin:webhooks_webhookdelivery_change", args=[each.pk]),
                words.plain_host(each.endpoint),
                words.STATE_TONES[WebhookDelivery.State(each.state)],
                each.get_state_display(),
            )
            for each in event.sent
        ]
        line = '<a class="fc-line" href="{}">{} <span class="fc-badge fc-tone-{}">{}</span></a>'
        return format_html_join("", line, links) or gettext("nowhere")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the event's page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, unquote(object_id))
        if event is None:
            raise Http404
        found = subjects_of([event])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": event,
            "title": event.type,
            "support_reference": event.pk,
            "event": event,
            "about": found.about(event),
            "origin": found.came_from(event),
            "sent": [
                (each, words.plain_host(each.endpoint), words.STATE_TONES[WebhookDelivery.State(each.state)])
                for each in _shown_deliveries().filter(event=event)[:100]
            ],
            "body": pretty(bytes(event.body)) if may_see_payloads(desk_user_of(request)) else "",
        }
        return TemplateResponse(request, "admin/webhooks/event.html", context)


def _shown_deliveries() -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(endpoint__deleted_at=None).select_related("endpoint")
    return rows.only("event", "state", "created_at", "endpoint__url").order_by("created_at", "pk")
