"""The audit trail, to read."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.workspace.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    needs = {"view": "settings"}
    list_display = (moment("at", _("Time")), "who", "action", "object_name")
    list_filter = ("action",)
    search_fields = ("actor", "action", "object_id", "object_name", "request_id")
    search_help_text = _("Who, what, an id, or a request id")
    fields = (moment("at", _("Time")), "who", "action", "object_name", "object_id", "was", "now", "request_id")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).order_by("-id")

    @display(description=_("Who"), ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor or "FieldCamp"

    @display(description=_("Before"))
    def was(self, entry: AuditEntry) -> str:
        return _shown(entry.before)

    @display(description=_("After"))
    def now(self, entry: AuditEntry) -> str:
        return _shown(entry.after)


def _shown(values: dict[str, Any]) -> str:
    return format_html("<pre>{}</pre>", json.dumps(values, indent=2, ensure_ascii=False)) if values else "–"
