"""Laying both sides' documents beside each other: what is linked is a pair, everything else stands alone.

What the books have comes from a reading, or without one from what was last seen of them. Where a sync has seen a
record after the reading, that is the newer word.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.models import BooksReading, Connection
from integrations.reconciliation.documents import ZERO, BooksDocument, BooksPair
from integrations.reconciliation.here import documents_here
from integrations.reconciliation.links import Customers, KnownLink, dirty_records, links_of, problems_of
from integrations.reconciliation.moving import moving
from integrations.reconciliation.reading import FIELDS, READ, rows_of

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class BothSides:
    """All pairs and documents that stand alone, who their customers are, and what the books have, by kind and id."""

    pairs: list[BooksPair]
    customers: Customers
    rows: Mapping[str, Mapping[str, Row]]


def pairs_of(connection: Connection, reading: BooksReading | None, first_day: str) -> BothSides:
    """Lays both sides beside each other. `first_day` is the day from which the two are kept equal, or ""."""
    laying = _Laying(connection, reading)
    pairs = laying.mark_duplicates([pair for kind in READ for pair in laying.pairs(kind.name)])
    return BothSides(laying.set_apart(pairs, first_day), laying.customers, laying.rows)


class _Laying:
    def __init__(self, connection: Connection, reading: BooksReading | None):
        self.connection, self.reading = connection, reading
        self.customers = Customers(connection, set(reading.gone_customers if reading else ()))
        self.here = documents_here(connection.workspace)
        self.links = links_of(connection)
        self.dirty, self.problems = dirty_records(connection), problems_of(connection)
        self.by_record = {(link.kind, link.record_id): link for link in self.links if link.record_id}
        self.by_remote = {(link.kind, link.remote_id): link for link in self.links}
        self.rows: dict[str, dict[str, Row]] = {}
        self.unread: set[tuple[str, str]] = set()
        for kind in READ:
            self.rows[kind.name] = self._there(kind.name, rows_of(reading, kind) if reading else None)
        self.keys = self._invoice_keys()
        self.moving = moving(connection, reading, self.links, self.here.documents[PAYMENT.name])

    def _there(self, kind: str, listed: dict[str, dict[str, Any]] | None) -> dict[str, Row]:
        """Returns what the books have, by its id there."""
        links = [link for link in self.links if link.kind == kind]
        if listed is None or self.reading is None:
            return {link.remote_id: link.seen or {} for link in links if link.present}
        found: dict[str, Row] = dict(listed)
        as_of = self.reading.as_of or self.reading.began_at
        for link in links:
            if link.seen_at is None or link.seen_at <= as_of:
                continue
            if link.present:
                found[link.remote_id] = link.seen or {}
            else:
                found.pop(link.remote_id, None)
        for remote_id, row in listed.items():
            known = self.by_remote.get((kind, remote_id))
            if found.get(remote_id) is row and _says_more(kind, row, known):
                self.unread.add((kind, remote_id))
        return found

    def _invoice_keys(self) -> dict[str, str]:
        """Returns the keys of invoices' pairs by their ids there."""
        keys = {}
        for remote_id in self.rows[INVOICE.name]:
            link = self._link_of(INVOICE.name, remote_id)
            keys[remote_id] = link.record_id if link else f"there:{remote_id}"
        return keys

    def _link_of(self, kind: str, remote_id: str) -> KnownLink | None:
        """Returns the link of this record there, if it is the one that its record of FieldCamp has."""
        link = self.by_remote.get((kind, remote_id))
        if link is None or not link.record_id:
            return None
        return link if self.by_record[kind, link.record_id] is link else None

    # --- pairs ------------------------------------------------------------------------------------------------------

    def pairs(self, kind: str) -> list[BooksPair]:
        rows, documents = dict(self.rows[kind]), self.here.documents[kind]
        found = []
        for record_id, document in documents.items():
            link = self.by_record.get((kind, record_id))
            row = rows.pop(link.remote_id, None) if link else None
            found.append(self._pair(kind, record_id, document, link, row))
        for remote_id, row in rows.items():
            link = self._link_of(kind, remote_id)
            there = self._document(kind, row, self.customers.party_there(str(row.get("customer") or "")))
            found.append(
                BooksPair(
                    f"there:{remote_id}",
                    kind,
                    record_id=link.record_id if link else "",
                    remote_id=remote_id,
                    there=there,
                    linked=link is not None and not link.cut,
                    unread=(kind, remote_id) in self.unread,
                    unreadable=bool(row.get("unreadable")),
                )
            )
        return found

    def _pair(
        self, kind: str, record_id: str, here: BooksDocument, link: KnownLink | None, row: Row | None
    ) -> BooksPair:
        problem = self.problems.get((kind, record_id))
        there, own = None, self.customers.customer_of(here.party)
        if row is not None and link is not None:
            there = self._document(kind, row, self._party(kind, record_id, here, link, row), here)
            here = self._with_foreign_shares(here, there, link)
            if kind == INVOICE.name and (record_id in self.moving[0] or here.party in self.moving[1]):
                there = dataclasses.replace(there, remainder=None)
        made = link is not None and link.seen is not None
        customer_gone = own in self.customers.gone
        about = problem or (self.problems.get((CUSTOMER.name, here.party)) if customer_gone else None)
        return BooksPair(
            record_id,
            kind,
            record_id=record_id,
            remote_id=link.remote_id if link and made else "",
            here=here,
            there=there,
            linked=bool(link and made and not link.cut),
            cut=bool(link and made and link.cut),
            waiting=bool((kind, record_id) in self.dirty or (link and link.pending)),
            problem=about.id if about else "",
            refused=bool(problem and problem.refused),
            asked=bool((problem and problem.asked) or (link and link.held)),
            unread=bool(link and (kind, link.remote_id) in self.unread),
            unreadable=bool(row and row.get("unreadable") if self.reading else problem and problem.unreadable),
            customer_gone=customer_gone,
        )

    def _party(self, kind: str, record_id: str, here: BooksDocument, link: KnownLink, row: Row) -> str:
        """Returns who owes it there. A payment that was made there keeps its payer (a parent pays for a site), as far
        as a sync has seen it; and an invoice may stand at a customer that no client is, if that was agreed on."""
        customer, own = str(row.get("customer") or ""), self.customers.by_client.get(here.party, "")
        if not customer or customer == own:
            return here.party
        if own and kind == INVOICE.name and self.customers.are_family(customer, own):
            return here.party  # put down to a place of the client's, or to whom the client is a place of
        party = self.customers.party_there(customer)
        if link.cut:
            return party
        if self.here.made_in.get(record_id):
            return here.party if customer == (link.seen or {}).get("customer") else party
        agreed = link.customer == customer and party.startswith(Customers.THERE_ONLY)
        return here.party if agreed else party

    def _document(self, kind: str, row: Row, party: str, here: BooksDocument | None = None) -> BooksDocument:
        """Returns what the books have. What they do not say counts as FieldCamp has it, and so does not differ."""
        told = here or BooksDocument("", party, ZERO)
        amount = _money(row.get("total" if kind == INVOICE.name else "amount"))
        voided = row.get("voided")
        document = BooksDocument(
            str(row.get("date") or told.date),
            party,
            told.amount if amount is None else amount,
            voided=told.voided if voided is None else bool(voided),
        )
        if kind == INVOICE.name:
            return dataclasses.replace(
                document,
                number=row.get("number"),
                tax=_money(row.get("tax_total")),
                remainder=_money(row.get("balance")),
                deposit=Decimal(row["deposit"] or ZERO) if "deposit" in row else told.deposit,
            )
        shares, unapplied = row.get("allocations"), _money(row.get("unapplied"))
        return dataclasses.replace(
            document,
            number=row.get("reference"),
            remainder=told.remainder if shares is None or unapplied is None else unapplied,
            shares=told.shares if shares is None else self._shares(shares),
        )

    def _with_foreign_shares(self, here: BooksDocument, there: BooksDocument, link: KnownLink) -> BooksDocument:
        """Returns our payment with what it pays of invoices that only the books have: not ours to see, so the same. Of
        that the payment has no more left, as far as a sync has taken it over."""
        foreign = _foreign(there.shares)
        known = _foreign(self._shares((link.seen or {}).get("allocations") or ()))
        if here.remainder is None or not foreign and not known:
            return here
        left = here.remainder + sum(known.values(), ZERO) - sum(foreign.values(), ZERO)
        return dataclasses.replace(here, shares={**here.shares, **foreign}, remainder=max(left, ZERO))

    def _shares(self, allocations: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
        """Returns what a payment there pays, by the keys of the invoices' pairs."""
        found: dict[str, Decimal] = {}
        for share in allocations:
            key = self.keys.get(share["invoice"], f"there:{share['invoice']}")
            found[key] = found.get(key, ZERO) + Decimal(share["amount"])
        return found

    # --- twice there ------------------------------------------------------------------------------------------------

    def mark_duplicates(self, pairs: list[BooksPair]) -> list[BooksPair]:
        """Marks what stands alone there and looks like a document that is linked, or says itself that it is one."""
        linked = {look for pair in pairs if pair.linked and pair.there for look in _looks(pair)}
        owned = {pair.record_id for pair in pairs if pair.linked}
        for pair in pairs:
            if pair.linked and (link := self.by_record.get((pair.kind, pair.record_id))):
                owned.update(link.made_with)
        return [
            dataclasses.replace(pair, duplicates=True)
            if pair.there and not pair.record_id and (set(_looks(pair)) & linked or self._names(pair) in owned)
            else pair
            for pair in pairs
        ]

    # --- by choice on one side --------------------------------------------------------------------------------------

    def set_apart(self, pairs: list[BooksPair], first_day: str) -> list[BooksPair]:
        """Marks what is on one side by choice: what is dated before the first day, what the books had before they were
        connected where no first day was chosen, and payments of nothing else."""
        apart = {pair.key for pair in pairs if pair.is_invoice and self._is_apart(pair, first_day)}
        return [
            dataclasses.replace(pair, apart=True)
            if pair.key in apart or not pair.is_invoice and self._is_apart(pair, first_day, apart)
            else pair
            for pair in pairs
        ]

    def _is_apart(self, pair: BooksPair, first_day: str, invoices: Collection[str] = ()) -> bool:
        documents = list(pair.counting())
        if len(documents) != 1 or pair.linked or pair.cut or pair.record_id and pair.there:
            return False
        if pair.unreadable or pair.there and self._names(pair):
            return False  # nobody knows when it was, or FieldCamp made it
        [document] = documents
        if document.shares and all(key in invoices for key in document.shares):
            return True
        if first_day:
            return document.date < first_day
        known = self.by_remote.get((pair.kind, pair.remote_id)) if pair.there else None
        return known is not None and known.past

    def _names(self, pair: BooksPair) -> str:
        return str(self.rows[pair.kind].get(pair.remote_id, {}).get("for") or "")


def _says_more(kind: str, row: Row, link: KnownLink | None) -> bool:
    """Returns whether no sync has seen what the books say now."""
    if link is None or link.seen is None or link.gone:
        return True
    return any(row[name] != link.seen[name] for name in FIELDS[kind] if name in row and name in link.seen)


def _foreign(shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key: share for key, share in shares.items() if key.startswith("there:")}


def _looks(pair: BooksPair) -> list[tuple[Any, ...]]:
    """Returns by what two documents of the books look like the same one."""
    there = pair.there
    if there is None or there.voided:
        return []
    if not pair.is_invoice:
        return [("payment", there.party, there.date, there.amount, there.number, tuple(sorted(there.shares)))]
    looks: list[tuple[Any, ...]] = []
    if there.number:
        looks += [("number", there.number, there.party), ("number", there.number, there.amount)]
    return looks


def _money(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value)).quantize(ZERO)
