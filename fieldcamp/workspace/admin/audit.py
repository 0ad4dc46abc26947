"""The audit trail, to read and to take along."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.users import desk_user_of
from fieldcamp.spreadsheets import csv_line
from fieldcamp.workspace.audit import audit_export
from fieldcamp.workspace.models import AuditEntry

COLUMNS = (
    "at", "actor", "action", "object_id", "object_name", "before", "after", "request_id", "caller_request_id",
    "position", "digest",
)  # fmt: skip


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    needs = {"view": "settings"}
    list_display = (moment("at", _("Time")), "who", "action", "object_name")
    list_filter = ("action",)
    search_fields = ("actor", "action", "object_id", "object_name", "request_id", "caller_request_id")
    search_help_text = _("Who, what, an id, or a request id")
    fields = (
        moment("at", _("Time")), "who", "action", "object_name", "object_id", "was", "now", "request_id",
        "caller_request_id", "position", "seal_of_it",
    )  # fmt: skip
    readonly_fields = fields
    actions_list = ("export",)

    @action(description=_("Download as CSV"), url_path="export", icon="download")
    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """Sends all entries that the person may see, the newest first, as a table for spreadsheets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        desk_user = desk_user_of(request)
        name = f"audit-{timezone.now():%Y-%m-%d}.csv"
        company = None if desk_user.sees_all else desk_user.workspace
        audit_export(name, workspace_id=company.pk if company else None, actor=desk_user.name)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        lines = _csv_lines(self.get_queryset(request))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

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
