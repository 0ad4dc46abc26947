"""Clients, visits and blocked times."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin, ServiceAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.templatetags.desk import at
from fieldcamp.formats import day
from fieldcamp.workspace.admin.forms import PARTS, ClientForm, VisitForm
from fieldcamp.workspace.admin.merging import MergeMixin
from fieldcamp.workspace.admin.record_lists import BlockedTimeList, ClientList, VisitList, first_of, last_of, phone_of
from fieldcamp.workspace.admin.removal import RemovalMixin
from fieldcamp.workspace.history import history_of
from fieldcamp.workspace.models import BlockedTime, Client, Visit, VisitStatus
from fieldcamp.workspace.services import delete_client, delete_visit

_MADE = (moment("created_at", _("Created")), moment("updated_at", _("Updated")))
_HISTORY = "admin/workspace/history.html"
_TONES = {status.value: "" for status in VisitStatus} | {
    VisitStatus.SCHEDULED.value: "info",
    VisitStatus.COMPLETED.value: "success",
    VisitStatus.CANCELLED.value: "danger",
    VisitStatus.IN_PROGRESS.value: "warning",
}


class RecordAdmin(ServiceAdmin):
    """A record with a history. `places` names the streams that changes came from."""

    needs = {"view": "view", "add": "settings", "change": "settings"}
    change_form_outer_after_template = _HISTORY

    class Media:
        js = ("fieldcamp/labels.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(deleted_at=None)

    def places(self, record: Any) -> dict[str, str]:
        return {}

    def beside(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Returns what the page shows beside the form."""
        return {"history": history_of(record, self.places(record))}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        record = kwargs.get("obj")
        if record is not None and request.method == "POST":  # refused: it holds what was typed
            record = self.get_object(request, str(record.pk))
        context |= self.beside(request, record) if record is not None else {}
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Client)
class ClientAdmin(ClientList, MergeMixin, RemovalMixin, RecordAdmin):
    change_form_outer_after_template = "admin/workspace/record_actions.html"
    form = ClientForm
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("name", "email", "phone", "place", "stage")
    readonly_fields = ("parent",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("first_name", "last_name"),
                    ("company_name", "display_name"),
                    ("email", "stage"),
                    "parent",
                    "seen_version",
                )
            },
        ),
        (_("Phone"), {"fields": (tuple(f"phone_number__{part}" for part in PARTS["phone_number"]),)}),
        *(
            (
                title,
                {
                    "fields": (
                        (f"{name}__street",),
                        (f"{name}__city", f"{name}__state"),
                        (f"{name}__postalCode", f"{name}__country"),
                    )
                },
            )
            for title, name in ((_("Where the work is"), "property_address"), (_("Billing address"), "billing_address"))
        ),
    )

    @display(description=_("Name"))
    def name(self, client: Client) -> str:
        return str(client)

    def remove(self, record: Client) -> None:
        delete_client(workspace=record.workspace, client_id=record.pk)

    def consequences(self, record: Client) -> list[str]:
        count = record.visits.filter(deleted_at=None).count()
        visits = ngettext("{number} visit stays as it is.", "{number} visits stay as they are.", count)
        visits = visits.format(number=count) if count else gettext("It has no visits.")
        return [*super().consequences(record), f"{visits} {gettext('No new visit can be made for this client.')}"]

    @display(description=_("Phone"))
    def phone(self, client: Client) -> str:
        return phone_of(client) or "–"

    @display(description=_("Address"))
    def place(self, client: Client) -> str:
        return client.address or "–"


@admin.register(Visit)
class VisitAdmin(VisitList, RemovalMixin, RecordAdmin):
    form = VisitForm
    change_form_before_template = "admin/workspace/overlaps.html"
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("title", "client", "technician", "starts", "length", "shown_status")
    autocomplete_fields = ("client",)
    readonly_fields = ("id", "job_id", *_MADE)
    fieldsets = (
        (None, {"fields": ("title", ("client", "technician"), "visit_status", "seen_version")}),
        (
            _("When"),
            {
                "fields": ("scheduled_start", "scheduled_end", "timezone"),
                "description": _("In the company's time zone."),
            },
        ),
        (_("Where and what"), {"fields": ("address", "notes")}),
        (_("Record"), {"fields": (("id", "job_id"), _MADE), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visit]:
        return super().get_queryset(request).select_related("client__parent", "technician", "workspace")

    def remove(self, record: Visit) -> None:
        delete_visit(workspace=record.workspace, visit_id=record.pk)

    @display(description=_("Start"), ordering="scheduled_start")
    def starts(self, visit: Visit) -> str:
        return at(visit.scheduled_start, gettext("Not scheduled"))

    @display(description=_("Length"))
    def length(self, visit: Visit) -> str:
        if not visit.scheduled_start or not visit.scheduled_end:
            return "–"
        hours, minutes = divmod(int((visit.scheduled_end - visit.scheduled_start) / dt.timedelta(minutes=1)), 60)
        return " ".join(
            part
            for part in (
                gettext("{number} h").format(number=hours) if hours else "",
                gettext("{number} min").format(number=minutes) if minutes else "",
            )
            if part
        )

    @display(description=_("Status"), label=_TONES, ordering="visit_status")
    def shown_status(self, visit: Visit) -> tuple[str, str]:
        return visit.visit_status, visit.get_visit_status_display()


@admin.register(BlockedTime)
class BlockedTimeAdmin(BlockedTimeList, ScopedAdmin):
    list_display = ("member", "starts", "ends", "whole_days")
    list_select_related = ("member",)
    fields = ("member", "starts", "ends", "whole_days", moment("updated_at", _("Updated")))
    readonly_fields = fields

    @display(description=_("From"), ordering="starts_at")
    def starts(self, block: BlockedTime) -> Any:
        return _shown(first_of(block))

    @display(description=_("All day"))
    def whole_days(self, block: BlockedTime) -> str:
        return gettext("All day") if block.all_day else "–"

    @display(description=_("Until"), ordering="ends_at")
    def ends(self, block: BlockedTime) -> Any:
        return _shown(last_of(block))


def _shown(moment: dt.date) -> str:
    return at(moment) if isinstance(moment, dt.datetime) else day(moment)
