"""Taking a person's words out of the company's own records: their rows, the change log, the list of who edited what.

Ids, times, numbers and amounts stay, so that the books, totals and whoever follows the changes go on. Everything runs
inside the caller's transaction.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Q
from django.utils import timezone

from fieldcamp.workspace.audit_chain import ERASED
from fieldcamp.workspace.lines import lines_digest
from fieldcamp.workspace.models import AuditEntry, Change, Client, Invoice, InvoiceLine, Payment, Visit
from fieldcamp.workspace.tracking import TrackedModel

# What may say something of a person, and what stands there afterwards.
PERSONAL: Mapping[type[TrackedModel], Mapping[str, Any]] = {
    Client: {
        "first_name": "", "last_name": "", "company_name": "", "display_name": "", "email": "", "phone_number": {},
        "billing_address": {}, "property_address": {}, "stage": ERASED,
    },
    Visit: {"title": ERASED, "notes": "", "address": "", "job_id": ""},
    Invoice: {"memo": "", "void_reason": "", "billed_to": {}},
    Payment: {"reference": "", "notes": ""},
}  # fmt: skip
AT_ONCE = 1_000
SHORTEST = 4  # characters of a word that is looked for inside other texts


@dataclass(frozen=True)
class Words:
    """What a person is called by. `inside` are erased wherever they stand in a text, `whole` ones (a first name alone)
    only where they are all of it."""

    inside: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    _pattern: "re.Pattern[str] | None" = field(init=False, default=None, compare=False)

    def __post_init__(self) -> None:
        long_first = sorted(self.inside, key=len, reverse=True)
        if long_first:
            either = "|".join(re.escape(word) for word in long_first)
            object.__setattr__(self, "_pattern", re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE))

    @classmethod
    def of(cls, inside: Iterable[str], whole: Iterable[str] = ()) -> "Words":
        """Returns what may be looked for of these: inside of texts nothing that is too short to mean anybody."""
        long = frozenset(text for text in map(str.strip, inside) if len(text) >= SHORTEST)
        return cls(long, frozenset(map(str.strip, whole)) - {""})

    def erased(self, value: Any) -> Any:
        """Returns the value (a text, or what JSON holds) without these words."""
        if isinstance(value, str):
            if value in self.whole:
                return ERASED
            return self._pattern.sub(ERASED, value) if self._pattern else value
        if isinstance(value, dict):
            return {name: self.erased(inner) for name, inner in value.items()}
        return [self.erased(inner) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Family:
    """All that is about one client: themselves, their places and who was merged into them, and their records. `since`
    is when the first of them was made."""

    workspace_id: str
    clients: tuple[str, ...]
    visits: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    drafts: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    words: Words = field(default_factory=Words)
    since: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)

    @property
    def ids(self) -> set[str]:
        """Returns the ids of all these records."""
        return {*self.clients, *self.visits, *self.invoices, *self.payments}


def family_of(client: Client) -> Family:
    """Returns what belongs to a client."""
    ids: list[str] = []
    more = [client.pk]
    while more:
        ids += more
        near = Q(parent__in=more) | Q(merged_into__in=more)
        found = Client.objects.filter(near, workspace=client.workspace_id).exclude(pk__in=ids)
        more = list(found.order_by("pk").values_list("pk", flat=True))
    invoices = Invoice.objects.filter(client__in=ids).order_by("pk")
    return Family(
        client.workspace_id,
        tuple(ids),
        tuple(Visit.objects.filter(client__in=ids).order_by("pk").values_list("pk", flat=True)),
        tuple(invoices.values_list("pk", flat=True)),
        tuple(invoices.filter(sent_at=None, deleted_at=None).values_list("pk", flat=True)),
        tuple(Payment.objects.filter(client__in=ids).order_by("pk").values_list("pk", flat=True)),
        _words_of(Client.objects.filter(pk__in=ids), invoices),
        min(Client.objects.filter(pk__in=ids).values_list("created_at", flat=True)),
    )


def _words_of(clients: Iterable[Client], invoices: Iterable[Invoice]) -> Words:
    inside: set[str] = set()
    for client in clients:
        own = {client.display_name, client.company_name, client.email, *client.email.split(",")}
        numbers = [(client.phone_number or {}).get("number")]
        streets = [(each or {}).get("street") for each in (client.billing_address, client.property_address)]
        if client.first_name and client.last_name:
            own |= {f"{client.first_name} {client.last_name}", f"{client.last_name}, {client.first_name}"}
        inside |= own | {str(text) for text in (*numbers, *streets) if text}
    for invoice in invoices:
        inside |= {str(invoice.billed_to.get(name) or "") for name in ("name", "email")}
    return Words.of(inside)


def erase_family(family: Family) -> None:
    """Overwrites the rows of a client and of their records. The client, their visits and drafts are deleted as people
    see it, so that calendars are cleared; what was sent and paid stays for the books, without a word in it."""
    now = timezone.now()
    gone = {"deleted_at": now}
    _erase_rows(Visit, family.visits, gone)
    _erase_rows(Invoice, family.drafts, gone)
    _erase_rows(Invoice, family.invoices)
    erase_lines(family.invoices)
    _erase_rows(Payment, family.payments)
    _erase_rows(Client, family.clients, gone)
    for kind, ids in (
        (Visit, family.visits), (Invoice, family.invoices), (Payment, family.payments), (Client, family.clients),
    ):  # fmt: skip
        erase_changes(kind, ids)
    erase_log_entries(family.ids)


def _erase_rows(model: type[TrackedModel], ids: Sequence[str], gone: Mapping[str, Any] | None = None) -> None:
    now = timezone.now()
    for some in portions(ids):
        rows = model.objects.filter(pk__in=some)
        if gone:
            rows.alive().update(**gone)  # what was deleted before keeps its day
        rows.update(**PERSONAL[model], erased_at=now)


def erase_lines(invoices: Sequence[str]) -> None:
    """Takes the descriptions out of the lines of these invoices, and the names of what is no item of the list."""
    said = InvoiceLine.objects.filter(~Q(description="") | Q(item=None) & ~Q(item_name=""))
    for some in portions(invoices):
        speaking = sorted(set(said.filter(invoice__in=some).values_list("invoice_id", flat=True)))
        rows = InvoiceLine.objects.filter(invoice__in=speaking)
        rows.update(description="")
        rows.filter(item=None).update(item_name="")
        for invoice in Invoice.objects.filter(pk__in=speaking).prefetch_related("lines"):
            Invoice.objects.filter(pk=invoice.pk).update(lines_digest=lines_digest(invoice.lines.all()))


def erase_changes(model: type[TrackedModel], ids: Sequence[str]) -> None:
    """Takes the words out of the change log: which field was changed when and by whom stays."""
    for some in portions(ids):
        rows = Change.objects.filter(kind=model.kind, record_id__in=some).order_by("pk")
        found = []
        for row in rows.iterator(chunk_size=AT_ONCE):
            row.before, row.after = (_without(values, PERSONAL[model]) for values in (row.before, row.after))
            found.append(row)
        Change.objects.bulk_update(found, ["before", "after"], batch_size=500)


def _without(values: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: personal.get(name, value) for name, value in values.items()}


def erase_log_entries(ids: Collection[str]) -> None:
    """Takes the names out of Django's own list of who edited what at the desk."""
    for some in portions(sorted(ids)):
        LogEntry.objects.filter(object_id__in=some).update(object_repr=ERASED, change_message="")


def entries_about(
    workspace_id: str | None, ids: Collection[str], words: Words, since: dt.datetime, actions: Sequence[str] = ()
) -> list[int]:
    """Returns the company's audit entries (None: those of no company) that are about these records, or that name the
    person: of these actions only, where some are given, and none from before `since`. Who makes a record that is called
    like somebody, and erases it, takes nothing out of the trail that stood there before."""
    found = []
    columns = ("pk", "object_id", "action", "at", "actor", "object_name", "before", "after")
    entries = AuditEntry.objects.filter(workspace=workspace_id).order_by("pk").values_list(*columns)
    for pk, object_id, action, at, *said in entries.iterator(chunk_size=AT_ONCE):
        named = at >= since and (not actions or action.startswith(tuple(actions))) and words.erased(said) != said
        if object_id in ids or named:
            found.append(pk)
    return found


def portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yields the ids some at a time: a statement of SQLite's takes so many values."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
