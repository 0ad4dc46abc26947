"""The lists of clients, visits and blocked times: search, filters, what they open on, CSV."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from fieldcamp.desk.lists.exporting import Cell, chosen, field, worked_out
from fieldcamp.desk.lists.filters import SpanFilter, between_days
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.models import BlockedTime, Client, Member

ADDRESS_PARTS = ("street", "city", "postalCode")
NAMES_OF_CLIENT = tuple(f"client__{name}" for name in ("company_name", "display_name", "first_name", "last_name"))


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


class VisitSpan(SpanFilter):
    path, end_path = "scheduled_start", "scheduled_end"
    beside = ("scheduled_start_from", "scheduled_start_to")


class BlockedSpan(SpanFilter):
    path, end_path = "starts_at", "ends_at"
    beside = ("starts_at_from", "starts_at_to")
    spans = tuple(span for span in SpanFilter.spans if span[0] != "never")


def phone_of(client: Client) -> str:
    number = client.phone_number or {}
    return f"{number.get('countryCode', '')} {number.get('number', '')}".strip()


def first_of(block: BlockedTime) -> dt.date:
    """Returns when the time begins: of whole days the first one."""
    return block.start_date if block.all_day and block.start_date else block.starts_at


def last_of(block: BlockedTime) -> dt.date:
    """Returns when the time ends: of whole days the last one."""
    return block.end_date - dt.timedelta(days=1) if block.all_day and block.end_date else block.ends_at


class ClientList:
    """The list of clients."""

    search_fields = (
        "first_name", "last_name", "company_name", "display_name", "email", "phone_number__number", "=id",
        *(f"property_address__{part}" for part in ADDRESS_PARTS),
    )  # fmt: skip
    search_help_text = _("Name, e-mail, phone or address")
    list_select_related = ("parent",)
    ordering = ("company_name", "last_name", "first_name", "id")
    empty = EmptyList(
        _("No clients yet. They come from your own entries, and from the books once those are connected."),
        _("Add a client"),
        "admin:workspace_client_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        worked_out(str, _("Name")), field("company_name", _("Company")), field("first_name", _("First name")),
        field("last_name", _("Last name")), field("email", _("E-mail")),
        worked_out(lambda client: phone_of(client), _("Phone")), field("address", _("Address")),
        field("stage", _("Stage")), field("created_at", _("Created")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} client", "{number} clients", number).format(number=grouped(number))


class VisitList:
    """The list of visits, from today on."""

    list_filter = (VisitSpan, "visit_status", TechnicianFilter, ("scheduled_start", between_days(_("Start"))))
    search_fields = (
        "title", *NAMES_OF_CLIENT, "technician__first_name", "technician__last_name", "address", "=id", "=job_id",
    )  # fmt: skip
    search_help_text = _("Title, client, technician or address")
    ordering = ("scheduled_start", "id")
    empty = EmptyList(
        _("No visits yet. They come from your own entries and through the API."),
        _("Add a visit"),
        "admin:workspace_visit_add",
        "settings",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("scheduled_start", _("Start")), field("scheduled_end", _("End")), field("title", _("Title")),
        field("client", _("Client")), field("technician", _("Technician")), field("address", _("Address")),
        chosen("visit_status", _("Status")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} visit", "{number} visits", number).format(number=grouped(number))


class BlockedTimeList:
    """The list of blocked times, from today on."""

    list_filter = (BlockedSpan, MemberFilter, "all_day", ("starts_at", between_days(_("From"))))
    search_fields = ("member__first_name", "member__last_name", "member__email")
    search_help_text = _("Whose time it is")
    ordering = ("starts_at", "id")
    empty = EmptyList(
        _("No blocked times yet. They come from the technicians’ calendars, once those are connected."),
        _("Connect a calendar"),
        "admin:index",
        "connect",
    )
    cells: ClassVar[Sequence[Cell]] = (
        field("member", _("Member")), worked_out(lambda block: first_of(block), _("From")),
        worked_out(lambda block: last_of(block), _("Until")), field("all_day", _("All day")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} blocked time", "{number} blocked times", number).format(number=grouped(number))
