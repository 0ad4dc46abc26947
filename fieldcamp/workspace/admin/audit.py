"""The audit trail, to read and to take along."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.lists.exporting import field, worked_out
from fieldcamp.desk.lists.filters import between_days
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.users import desk_user_of
from fieldcamp.spreadsheets import csv_line
from fieldcamp.workspace.admin.audit_words import SENTENCES, names_of, sentence
from fieldcamp.workspace.models import AuditEntry, Member
from fieldcamp.workspace.searching import words

COLUMNS = (
    "at", "actor", "action", "object_id", "object_name", "before", "after", "request_id", "caller_request_id",
    "position", "digest",
)  # fmt: skip


class ActionFilter(admin.SimpleListFilter):
    """What was done, by the words that the trail has; what a table with 100,000 entries has is not asked for."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(action, str(said).format(who="…", what="…")) for action, said in SENTENCES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    needs = {"view": "settings"}
    list_display = (moment("at", _("Time")), "what")
    list_filter = (ActionFilter, ("at", between_days(_("Time"))))
    empty = EmptyList(_("Nothing yet. What people and keys do is written down here."))
    cells = (
        field("at", _("Time")), worked_out(lambda entry: sentence(entry, entry.names), _("What")),
        worked_out(lambda entry: entry.names.get(entry.actor) or entry.actor or "FieldCamp", _("Who")),
        field("action", _("Action")), field("object_name", _("Object")),
    )  # fmt: skip
    search_fields = ("actor", "action", "object_id", "object_name", "request_id", "caller_request_id")
    search_help_text = _("Who, what, an id, or a request id")
    _shown_fields = (moment("at", _("Time")), "what", "who", "object_name", "was", "now")
    _for_support = ("action", "object_id", "request_id", "caller_request_id", "position", "seal_of_it")
    fieldsets = (
        (None, {"fields": _shown_fields}),
        (_("Details for support"), {"fields": _for_support, "classes": ("collapse",)}),
    )
    readonly_fields = (*_shown_fields, *_for_support)
    actions_list = ("export",)

    @action(description=_("Download all entries"), url_path="export", icon="download")
    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """Sends all entries that the person may see, the newest first, as a table for spreadsheets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = f"audit-{timezone.now():%Y-%m-%d}.csv"
        self.write_down(request, name)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        lines = _csv_lines(self.get_queryset(request))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def counted(self, number: int) -> str:
        return ngettext("{number} entry", "{number} entries", number).format(number=grouped(number))

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        names = names_of(desk_user_of(request), (row.actor for row in rows))
        for row in rows:
            row.names = names

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Finds people also by the names that the list shows for their logins."""
        found, distinct = super().get_search_results(request, queryset, search_term)
        people = Member.objects.all()
        for word in words(search_term):
            people = people.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word))
        if not words(search_term) or not people.exists():
            return found, distinct
        logins = desk_user_of(request).scope(people).values("user__username")
        return queryset.filter(Q(pk__in=found.values("pk")) | Q(actor__in=logins)), False

    @display(description=_("What"))
    def what(self, entry: Any) -> str:
        return sentence(entry, getattr(entry, "names", {}))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).order_by("-id")

    @display(description=_("Who"), ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor or "FieldCamp"

    @display(description=_("Digest"))
    def seal_of_it(self, entry: AuditEntry) -> str:
        """Shows the digest so that it may be broken anywhere between eights; copied it is whole."""
        eights = (entry.digest[start : start + 8] for start in range(0, len(entry.digest), 8))
        return format_html_join("", "{}<wbr>", ((part,) for part in eights)) or "–"

    @display(description=_("Before"))
    def was(self, entry: AuditEntry) -> str:
        return _shown(entry.before)

    @display(description=_("After"))
    def now(self, entry: AuditEntry) -> str:
        return _shown(entry.after)


def _shown(values: dict[str, Any]) -> str:
    return format_html("<pre>{}</pre>", json.dumps(values, indent=2, ensure_ascii=False)) if values else "–"


def _csv_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """Yields the entries with the times in UTC; a digest is compared with what `manage.py audit_check` prints."""
    yield csv_line(["time_utc", *COLUMNS[1:]])
    for at, *rest in entries.values_list(*COLUMNS).iterator(chunk_size=2_000):
        cells = [json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict) else cell for cell in rest]
        yield csv_line([at.isoformat(timespec="milliseconds"), *cells])
