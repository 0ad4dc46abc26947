"""Two clients who are one: all that is one's goes to the other, and the one is deleted.

Locked in one order: both clients by their ids, payments, invoices, visits.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Client, Invoice, Payment, Visit, Workspace
from fieldcamp.workspace.saving import Check, save_changes

# What the client that stays takes over where it has nothing of its own.
TAKEN_OVER = ("email", "phone_number", "billing_address", "property_address")
NAMED = 5  # records of each kind that a preview calls by name
DEEPEST = 20  # places of places


@dataclass(frozen=True)
class MergePreview:
    """What merging a client into another moves: how many records of each kind, some of their names, and the names of
    the fields that the other takes over."""

    counts: dict[str, int]
    names: dict[str, list[str]] = field(default_factory=dict)
    taken_over: tuple[str, ...] = ()


def preview_merge(client: Client, into: Client) -> MergePreview:
    """Returns what merging the client into the other would move. Raises as `merge_clients` does."""
    _check(client, into)
    rows = {
        "visits": client.visits.alive().order_by("-scheduled_start", "pk"),
        "invoices": client.invoices.alive().order_by("-date", "pk"),
        "payments": client.payments.alive().order_by("-date", "pk"),
        "places": client.places.alive().order_by("pk"),
    }
    return MergePreview(
        {kind: found.count() for kind, found in rows.items()},
        {kind: [_called(record) for record in found[:NAMED]] for kind, found in rows.items()},
        tuple(_taken_over(client, into)),
    )


def merge_clients(*, workspace: Workspace, client_id: str, into_id: str, check: Check | None = None) -> Client:
    """Merges the client into another, which is returned: its visits, invoices, payments and places go there, and what
    that one lacks of `TAKEN_OVER` it takes over. The client is deleted and says what it was `merged_into`.

    A sent invoice keeps whom it was sent to, a visit without an address of its own the place where it is. `check` sees
    the client that goes, under its lock, and may raise. Raises InvalidFields (of `into`), InvalidTransition, or
    Client.DoesNotExist for a client that is not there.
    """
    with transaction.atomic():
        both = Client.objects.filter(workspace=workspace, pk__in=[client_id, into_id]).order_by("pk")
        found = {row.pk: row for row in both.select_for_update()}
        client, into = found.get(client_id), found.get(into_id)
        if client is None or (client.deleted_at and not client.merged_into_id):
            raise Client.DoesNotExist
        if check and not client.deleted_at:
            check(client)
        _check(client, into)
        assert into is not None
        counts, taken = _move(client, into), _taken_over(client, into)
        # Chains are kept short: whoever was merged into this one is the other by now.
        Client.objects.filter(merged_into=client).update(merged_into=into)
        client.merged_into, client.deleted_at = into, timezone.now()
        client.save(update_fields=["merged_into", "deleted_at"])
        save_changes(into, taken)
        audit(
            "client.merged",
            workspace_id=workspace.pk,
            object_id=client.pk,
            object_name=str(client),
            after={"into": into.pk, "name": str(into), **counts, "taken_over": sorted(taken)},
        )
    return into


def _check(client: Client, into: Client | None) -> None:
    if client.deleted_at:
        name = client.merged_into.own_name if client.merged_into else ""
        raise InvalidTransition(f"“{client.own_name}” was merged into “{name}” already.")
    if into is None or into.workspace_id != client.workspace_id or (into.deleted_at and not into.merged_into):
        raise InvalidFields.of("into", "There is no such client.")
    if into.pk == client.pk:
        raise InvalidFields.of("into", "A client cannot be merged into itself. Choose another one.")
    if into.merged_into:
        other = f"“{into.merged_into.own_name}” ({into.merged_into.pk})"
        raise InvalidFields.of("into", f"“{into.own_name}” was merged into {other} already. Choose that one.")
    above: Client | None = into
    for _level in range(DEEPEST):
        above = above.parent if above else None
        if above is not None and above.pk == client.pk:
            sentence = f"“{into.own_name}” is a place of “{client.own_name}”. Merge the place into the client instead."
            raise InvalidFields.of("into", sentence)


def _move(client: Client, into: Client) -> dict[str, int]:
    """Gives all that is the client's to the other. Returns how many records of each kind that were."""
    payments = Payment.objects.alive().filter(client=client).update(client=into)
    invoices = Invoice.objects.alive().filter(client=client).update(client=into)
    visits = Visit.objects.alive().filter(client=client)
    moved = 0
    if client.address and client.address != (into.address or client.address):
        moved = visits.filter(address="").update(client=into, address=client.address[:300])
    moved += visits.update(client=into)
    places = Client.objects.alive().filter(parent=client).update(parent=into)
    return {"visits": moved, "invoices": invoices, "payments": payments, "places": places}


def _taken_over(client: Client, into: Client) -> dict[str, Any]:
    """Returns what the other lacks. One that has an address has a place already: where its visits go stays."""
    names = [name for name in TAKEN_OVER if not getattr(into, name)]
    if into.address and "property_address" in names:
        names.remove("property_address")
    return {name: getattr(client, name) for name in names if getattr(client, name)}


def _called(record: Any) -> str:
    return record.own_name if isinstance(record, Client) else str(record)
