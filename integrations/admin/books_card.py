"""What the desk shows of a company's books: its facts, what is chosen, and how many records of each kind are linked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp import formats
from integrations.admin.buttons import Button
from integrations.admin.reconciliation import verdicts_of
from integrations.admin.values import PLURALS
from integrations.kinds import BOOKS, TAX, KindName
from integrations.models import BooksSettings, Connection, Direction, DirtyRow, Link, Stream
from integrations.records import Company
from integrations.services.books.setup import company_of
from integrations.services.books.suggest import TAX_MODES, day_of, warnings

_ORDER = [kind.name for kind in BOOKS]


@dataclass(frozen=True)
class KindRow:
    """One kind of record: its stream and how many there are. `alone` are only there; `waiting` are to be synced."""

    stream: Stream
    linked: int
    alone: int
    waiting: int
    asked: int

    @property
    def plural(self) -> str:
        return str(PLURALS[self.stream.kind])

    @property
    def direction(self) -> str:
        if self.stream.direction == Direction.TWO_WAY:
            return gettext("Both ways")
        return gettext("From the books") if self.stream.direction == Direction.PULL else gettext("To the books")

    @property
    def policy(self) -> str:
        """Taxes are never written there, so there is nothing to contest."""
        return gettext("The books win") if self.stream.kind == TAX.name else str(self.stream.get_policy_display())


def books_context(connection: Connection, may_change: bool) -> dict[str, Any]:
    """Returns the books' part of a connection's page; five queries."""
    settings = BooksSettings.objects.filter(connection=connection).first()
    company = company_of(settings)
    streams = sorted(connection.streams.exclude(kind=""), key=lambda stream: _ORDER.index(KindName(stream.kind)))
    buttons = []
    if may_change and connection.usable:
        mapping = reverse("integrations:mapping", args=[connection.pk])
        again = reverse("integrations:refresh_company", args=[connection.pk])
        buttons = [
            Button(f"mapping-{connection.pk}", gettext("Taxes and items"), mapping, post=False),
            Button(f"refresh-{connection.pk}", gettext("Ask again"), again, about=gettext("what the company is like")),
        ]
    return {
        "settings": settings,
        "company": company,
        "tax_mode": TAX_MODES.get(company.tax_mode, "") if company else "",
        "closed_until": day_of(company.closed_until) if company else None,
        "warnings": warnings(company) if company else [],
        "kinds": _rows(streams),
        "verdict": verdicts_of([connection]).get(connection.pk),
        "reconciliation_url": reverse("integrations:reconciliation", args=[connection.pk]),
        "buttons": buttons,
    }


def _rows(streams: Sequence[Stream]) -> list[KindRow]:
    live = Q(cut_at=None, seen__isnull=False, seen_gone=False)
    links = Link.objects.filter(stream__in=streams).values("stream").order_by()
    counted = {
        row["stream"]: row
        for row in links.annotate(
            linked=Count("pk", filter=live & ~Q(record_id="")),
            alone=Count("pk", filter=live & Q(record_id="")),
            asked=Count("pk", filter=Q(parked=True, cut_at=None)),
        )
    }
    dirty = DirtyRow.objects.filter(stream__in=streams).values_list("stream").annotate(n=Count("pk")).order_by()
    waiting = dict(dirty)
    none = {"linked": 0, "alone": 0, "asked": 0}
    found = []
    for stream in streams:
        row = counted.get(stream.pk, none)
        found.append(KindRow(stream, row["linked"], row["alone"], waiting.get(stream.pk, 0), row["asked"]))
    return found


def facts_of(connections: Sequence[Connection]) -> dict[str, str]:
    """Returns a line about each company for the dashboard; one query."""
    rows = BooksSettings.objects.filter(connection__in=connections).select_related("connection")
    return {row.connection_id: _line(row.connection, company_of(row)) for row in rows}


def _line(connection: Connection, company: Company | None) -> str:
    parts = [gettext("company no. {number}").format(number=connection.shown_account_id)]
    if company and company.closed_until and (day := day_of(company.closed_until)):
        parts.append(gettext("books closed until {day}").format(day=formats.day(day)))
    if company and not company.subscription_active:
        parts.append(gettext("its subscription has ended"))
    return " · ".join(parts)
