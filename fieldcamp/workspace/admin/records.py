"""Clients, visits and blocked times."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin, ServiceAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.templatetags.desk import at
from fieldcamp.desk.users import desk_user_of
from fieldcamp.formats import day
from fieldcamp.workspace.admin.forms import PARTS, ClientForm, VisitForm
from fieldcamp.workspace.admin.merging import MergeMixin
from fieldcamp.workspace.admin.removal import RemovalMixin
from fieldcamp.workspace.history import history_of
from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit, VisitStatus
from fieldcamp.workspace.services import delete_client, delete_visit

_MADE = (moment("created_at", _("Created")), moment("updated_at", _("Updated")))
_HISTORY = "admin/workspace/history.html"
NAMES_OF_CLIENT = tuple(f"client__{name}" for name in ("company_name", "display_name", "first_name", "last_name"))
_TONES = {status.value: "" for status in VisitStatus} | {
    VisitStatus.SCHEDULED.value: "info",
    VisitStatus.COMPLETED.value: "success",
    VisitStatus.CANCELLED.value: "danger",
    VisitStatus.IN_PROGRESS.value: "warning",
}


class TechnicianFilter(admin.SimpleListFilter):
    """The people of the own workspace; Django's own filter would list everybody's."""

    title = _("technician")
    parameter_name = "technician"
    path = "technician_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = desk_user_of(request).scope(Member.objects.filter(is_technician=True))
        return [(member.pk, str(member)) for member in people[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class MemberFilter(TechnicianFilter):
    title = _("member")
    parameter_name = "member"
    path = "member_id"


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

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        record = self.get_object(request, unquote(object_id))
        extra = {"history": history_of(record, self.places(record))} if record else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})


@admin.register(Client)
class ClientAdmin(MergeMixin, RemovalMixin, RecordAdmin):
    change_form_outer_after_template = "admin/workspace/record_actions.html"
    form = ClientForm
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("name", "email", "phone", "place", "stage")
    search_fields = ("first_name", "last_name", "company_name", "display_name", "email")
    list_select_related = ("parent",)
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
        number = client.phone_number or {}
        return f"{number.get('countryCode', '')} {number.get('number', '')}".strip() or "–"

    @display(description=_("Address"))
    def place(self, client: Client) -> str:
        return client.address or "–"


@admin.register(Visit)
class VisitAdmin(RemovalMixin, RecordAdmin):
    form = VisitForm
    change_form_before_template = "admin/workspace/overlaps.html"
    needs = {**RecordAdmin.needs, "delete": "settings"}
    list_display = ("title", "client", "technician", "starts", "length", "shown_status")
    list_filter = ("visit_status", TechnicianFilter, ("scheduled_start", RangeDateFilter))
    list_filter_submit = True
    search_fields = ("title", *NAMES_OF_CLIENT, "address", "=id")
    ordering = ("-scheduled_start", "-id")
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
class BlockedTimeAdmin(ScopedAdmin):
    list_display = ("member", "starts", "ends", "whole_days")
    list_filter = (MemberFilter, "all_day", ("starts_at", RangeDateFilter))
    list_filter_submit = True
    list_select_related = ("member",)
    fields = ("member", "starts", "ends", "whole_days", moment("updated_at", _("Updated")))
    readonly_fields = fields

    @display(description=_("From"), ordering="starts_at")
    def starts(self, block: BlockedTime) -> Any:
        return day(block.start_date) if block.all_day and block.start_date else at(block.starts_at)

    @display(description=_("All day"))
    def whole_days(self, block: BlockedTime) -> str:
        return gettext("All day") if block.all_day else "–"

    @display(description=_("Until"), ordering="ends_at")
    def ends(self, block: BlockedTime) -> Any:
        if block.all_day and block.end_date:
            return day(block.end_date - dt.timedelta(days=1))
        return at(block.ends_at)
