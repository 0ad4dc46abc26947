"""What the sync knows of a company's invoices, payments and customers, read in a few queries."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KeyTextTransform

from fieldcamp.workspace.models import Client
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.models import Connection, DirtyRow, Link, Problem
from integrations.providers import PROVIDERS
from integrations.sync.state import seed_of

KINDS_READ = (INVOICE.name, PAYMENT.name)


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A link as far as the report needs it. `seen` is None where the record never came about there; `customer` is the
    one that both sides last agreed on. `past`: the record was there before the first sync."""

    kind: str
    record_id: str
    remote_id: str
    seen: Mapping[str, Any] | None
    gone: bool
    seen_at: dt.datetime | None
    cut: bool
    pending: bool
    held: bool
    customer: str
    past: bool
    made_with: tuple[str, ...]  # the ids that our creates of it were sent with

    @property
    def present(self) -> bool:
        """Returns whether the record was there when it was last seen."""
        return self.seen is not None and not self.gone


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A problem of a record: `asked` is a question, `refused` a record that waits for a correction. `unreadable`: what
    the books say of it could not be read."""

    id: str
    asked: bool
    refused: bool
    unreadable: bool


def links_of(connection: Connection) -> list[KnownLink]:
    """Returns the links of invoices and payments, live ones last, so that they win over cut ones of the same record."""
    make_id = PROVIDERS[connection.integration].make_id
    rows = (
        Link.objects.filter(stream__connection=connection, kind__in=KINDS_READ)
        .annotate(customer=KeyTextTransform("customer", "base"))
        .values_list("kind", "record_id", "remote_id", "seen", "seen_gone", "seen_at", "cut_at", "unsettled",
                     "parked", "intent", "hold_id", "customer", "created_at", "stream__first_synced_at",
                     "stream", "generation")
        .order_by("pk")
    )  # fmt: skip
    found = [
        KnownLink(
            kind, record_id, remote_id, seen, gone, seen_at, cut_at is not None,
            pending=intent is not None or (unsettled and not parked),
            held=hold_id is not None,
            customer=customer or "",
            past=first_synced_at is None or created_at <= first_synced_at,
            made_with=tuple(make_id(seed_of(stream, record_id, number)) for number in range(generation + 1)),
        )
        for kind, record_id, remote_id, seen, gone, seen_at, cut_at, unsettled, parked, intent, hold_id, customer,
            created_at, first_synced_at, stream, generation
        in rows.iterator(chunk_size=2000)
    ]  # fmt: skip
    return sorted(found, key=lambda link: not link.cut)


def dirty_records(connection: Connection) -> set[tuple[str, str]]:
    """Returns (kind, record id) of what was edited here and not synced yet."""
    rows = DirtyRow.objects.filter(stream__connection=connection, kind__in=KINDS_READ)
    return set(rows.values_list("kind", "record_id"))


def problems_of(connection: Connection) -> dict[tuple[str, str], OpenProblem]:
    """Returns the open problems of customers, invoices and payments by kind and record; a question before a refusal,
    and either before what is merely good to know."""
    kinds = (CUSTOMER.name, *KINDS_READ)
    rows = Problem.objects.open().filter(connection=connection, record_kind__in=kinds).order_by("occurred_at")
    found: dict[tuple[str, str], OpenProblem] = {}
    for pk, kind, record_id, code, data, notice in rows.values_list(
        "pk", "record_kind", "record_id", "code", "data", "notice"
    ):
        reason = data.get("reason") if isinstance(data, dict) else None
        asked = code == ProblemCode.CONFLICT or reason == ProblemReason.MATCH
        unreadable = code == ProblemCode.RECORD_UNREADABLE
        refused = not (asked or notice or unreadable or code == ProblemCode.AMOUNT_VARIANCE)  # which holds nothing up
        before = found.get((kind, record_id))
        if before is None or (asked, refused) >= (before.asked, before.refused):
            found[kind, record_id] = OpenProblem(pk, asked, refused, unreadable)
    return found


class Customers:
    """Who is who: clients and the customers that they are in the books; of one that was merged there into another, that
    one, and of a client that was merged here the one that is left.

    A party is a client's id, or `THERE_ONLY` and the id there of a customer that FieldCamp has no client for.
    """

    THERE_ONLY = "there:"

    def __init__(self, connection: Connection, gone: set[str]):
        rows = Link.objects.filter(stream__connection=connection, kind=CUSTOMER.name).order_by("pk")
        self.by_client: dict[str, str] = {}
        self.by_customer: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.parents: dict[str, str] = {}
        self.gone = set(gone)
        shown = KeyTextTransform("display_name", "seen")
        parent = KeyTextTransform("parent", "seen")
        columns = rows.values_list("record_id", "remote_id", "seen_gone", "cut_at", shown, "successor", parent)
        merged = Client.objects.filter(workspace_id=connection.workspace_id, merged_into__isnull=False)
        survivors = dict(merged.values_list("pk", "merged_into_id"))
        for record_id, remote_id, seen_gone, cut_at, name, heir, above in sorted(
            columns, key=lambda row: row[3] is None
        ):
            self.names[remote_id], self.parents[remote_id] = name or "", above or ""
            if seen_gone:
                self.gone.add(remote_id)
            if record_id in survivors:  # its customer is another one of the survivor's
                self.by_customer[remote_id] = survivors[record_id]
            elif record_id:
                self.by_client[record_id] = heir or remote_id
                if cut_at is None:
                    self.by_customer[remote_id] = record_id

    def party_there(self, customer: str) -> str:
        """Returns who the customer is."""
        return self.by_customer.get(customer) or f"{self.THERE_ONLY}{customer}"

    def are_family(self, one: str, other: str) -> bool:
        """Returns whether one of the two customers is a place of the other, however deep."""
        return one in self._with_all_above(other) or other in self._with_all_above(one)

    def _with_all_above(self, customer: str) -> list[str]:
        found: list[str] = []
        while customer and customer not in found:
            found.append(customer)
            customer = self.parents.get(customer, "")
        return found

    def customer_of(self, party: str) -> str:
        """Returns how the books call the party; "" where they do not know it."""
        if party.startswith(self.THERE_ONLY):
            return party.removeprefix(self.THERE_ONLY)
        return self.by_client.get(party, "")
