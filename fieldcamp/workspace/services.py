"""What can be done with visits and clients. The REST API, the admin and the sync all come through here.

References that do not exist and values that contradict each other raise InvalidFields, a change that the record's
state forbids InvalidTransition, a record that is not there its model's DoesNotExist.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone as clock

from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Client, Member, Visit, Workspace
from fieldcamp.workspace.models.people import known_timezones
from fieldcamp.workspace.names import reformed
from fieldcamp.workspace.saving import different, hide, is_client, known, locked, refuse_client, save_changes
from fieldcamp.workspace.scheduling import Slot, settle

VISIT_FIELDS = frozenset(
    {
        "client_id",
        "technician_id",
        "job_id",
        "title",
        "notes",
        "address",
        "scheduled_start",
        "scheduled_end",
        "timezone",
        "visit_status",
    }
)
CLIENT_FIELDS = frozenset(Client.tracked) - {"deleted_at", "parent_id"}
_PARTS = {"first_name": "first", "last_name": "last", "company_name": "company"}  # of a name


def create_visit(
    *,
    workspace: Workspace,
    client_id: str,
    title: str,
    technician_id: str | None = None,
    job_id: str = "",
    notes: str = "",
    address: str = "",
    scheduled_start: dt.datetime | None = None,
    scheduled_end: dt.datetime | None = None,
    timezone: str = "",
    visit_status: str | None = None,
) -> Visit:
    """Creates a visit. With a time and no status it is scheduled; without a time zone it has the workspace's."""
    times = {"scheduled_start": scheduled_start, "scheduled_end": scheduled_end, "visit_status": visit_status}
    slot = settle(Slot(), {name: value for name, value in times.items() if value is not None})
    with transaction.atomic():
        references = {"client_id": client_id, "technician_id": technician_id, "timezone": timezone}
        _check_references(workspace, references, known_client=is_client(workspace, client_id))
        now = clock.now()
        return Visit.objects.create(
            created_at=now,
            updated_at=now,
            workspace=workspace,
            client_id=client_id,
            technician_id=technician_id,
            job_id=job_id,
            title=title,
            notes=notes,
            address=address,
            scheduled_start=slot.start,
            scheduled_end=slot.end,
            timezone=timezone or workspace.timezone,
            visit_status=slot.status,
        )


def update_visit(
    *,
    workspace: Workspace,
    visit_id: str,
    changes: Mapping[str, Any],
    check: Callable[[Visit], None] | None = None,
) -> Visit:
    """Makes `changes` (model field → value) to the visit under its lock; a visit_status of None keeps the status.

    `check` sees the visit as it is under the lock, and may raise.
    """
    changes = known(changes, VISIT_FIELDS)
    with transaction.atomic():
        # Clients before visits, as batches and merges lock them: else each could wait for the other.
        known_client = "client_id" not in changes or is_client(workspace, changes["client_id"])
        visit = Visit.objects.alive().select_for_update().get(workspace=workspace, pk=visit_id)
        if check:
            check(visit)
        old = Slot(visit.scheduled_start, visit.scheduled_end, visit.visit_status)
        slot = settle(old, changes)
        technician_id = changes.get("technician_id", visit.technician_id)
        if visit.is_over and (slot, technician_id) != (old, visit.technician_id):
            raise InvalidTransition(
                f"This visit is {visit.get_visit_status_display().lower()} and is not moved any more. "
                "Create a new visit instead."
            )
        wanted = {
            **changes,
            "scheduled_start": slot.start,
            "scheduled_end": slot.end,
            "visit_status": slot.status,
            "timezone": changes.get("timezone", visit.timezone) or visit.timezone and workspace.timezone,
        }
        _check_references(workspace, different(visit, wanted), known_client=known_client)
        save_changes(visit, wanted)
    return visit


def delete_visit(*, workspace: Workspace, visit_id: str, check: Callable[[Visit], None] | None = None) -> Visit:
    """Hides the visit for good; its history stays."""
    return hide(Visit, workspace, visit_id, check)


def create_client(
    *,
    workspace: Workspace,
    first_name: str = "",
    last_name: str = "",
    company_name: str = "",
    display_name: str = "",
    email: str = "",
    phone_number: Mapping[str, str] | None = None,
    billing_address: Mapping[str, str] | None = None,
    property_address: Mapping[str, str] | None = None,
    stage: str = "",
) -> Client:
    """Creates a client; a first name, a company name or a display name is required."""
    _check_name(first_name, company_name, display_name)
    now = clock.now()
    return Client.objects.create(
        created_at=now,
        updated_at=now,
        workspace=workspace,
        first_name=first_name,
        last_name=last_name,
        company_name=company_name,
        display_name=display_name,
        email=email,
        phone_number=dict(phone_number or {}),
        billing_address=dict(billing_address or {}),
        property_address=dict(property_address or {}),
        stage=stage or Client._meta.get_field("stage").get_default(),
    )


def update_client(
    *,
    workspace: Workspace,
    client_id: str,
    changes: Mapping[str, Any],
    check: Callable[[Client], None] | None = None,
) -> Client:
    """Makes `changes` (model field → value) to the client under its lock. A display name that is not among them and is
    made of the person's or the company's name goes along with it, in the form that it has."""
    changes = known(changes, CLIENT_FIELDS)
    with transaction.atomic():
        client = locked(Client, workspace, client_id, check)
        if client.display_name and "display_name" not in changes:
            parts = {part: changes[name] for name, part in _PARTS.items() if name in changes}
            changes["display_name"] = reformed(client.display_name, client.names, replace(client.names, **parts))
        required = ("first_name", "company_name", "display_name")
        if not {*required}.isdisjoint(different(client, changes)):
            _check_name(*(changes.get(name, getattr(client, name)) for name in required))
        save_changes(client, changes)
    return client


def delete_client(*, workspace: Workspace, client_id: str, check: Callable[[Client], None] | None = None) -> Client:
    """Hides the client. Its visits, places and invoices stay, and can be worked with and paid; nothing new can be made
    for it."""
    return hide(Client, workspace, client_id, check)


def _check_references(workspace: Workspace, values: Mapping[str, Any], *, known_client: bool) -> None:
    """Refuses references to another workspace's records, which are as unknown as those that do not exist."""
    wrong: dict[str, list[str]] = {}
    if "client_id" in values and not known_client:
        wrong["client_id"] = [refuse_client(workspace, values["client_id"])]
    if values.get("technician_id"):
        members = Member.objects.filter(workspace=workspace, pk=values["technician_id"])
        is_active = list(members.order_by().values_list("is_active", flat=True))
        if not is_active:
            wrong["technician_id"] = ["There is no such team member."]
        elif not is_active[0]:
            wrong["technician_id"] = ["This team member is not active."]
    if values.get("timezone") and values["timezone"] not in known_timezones():
        wrong["timezone"] = ["Must be a name of the IANA time zone database, such as America/New_York."]
    if wrong:
        raise InvalidFields(wrong)


def _check_name(*names: str) -> None:
    if not any(names):
        raise InvalidFields.of("first_name", "A first name or a company name is required, or a display name.")
