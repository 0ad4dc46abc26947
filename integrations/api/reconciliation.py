"""Whether the books are right: both sides compared, as JSON or as a table for spreadsheets."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.negotiation import JsonOnly
from fieldcamp.api.services import signature
from fieldcamp.workspace.audit import audit_export
from fieldcamp.workspace.rest.amounts import AmountField, DayField
from integrations.api.errors import as_api_errors
from integrations.api.reconciliation_reference import FORMATS, reconciliation_reference
from integrations.api.sync import IntegrationView
from integrations.errors import ProviderError, RateLimited
from integrations.providers.base import Provider
from integrations.reconciliation.compare import MonthSums, SideSum
from integrations.reconciliation.documents import HERE, SIDES, THERE, BooksSideName, DocumentState
from integrations.reconciliation.reading import READ, StillReading
from integrations.reconciliation.report import ReconciliationReport
from integrations.reconciliation.rows import AcceptedRow, CreditRow, DifferenceRow, EntryRow, OwedRow
from integrations.reconciliation.table import csv_table
from integrations.records import instant
from integrations.services.reconciliation import books_of, reconcile_now

SOON, LATER = "5", "60"  # seconds after which to ask again
_amount = AmountField()


class JsonOrCsv(JsonOnly):
    """A table is asked for by `format`, whatever the header says; errors are JSON all the same."""

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        if request.query_params.get("format") == "csv":
            renderer = next(iter(renderers))
            return renderer, renderer.media_type
        return super().select_renderer(request, renderers, format_suffix)


class ReconciliationView(IntegrationView):
    content_negotiation_class = JsonOrCsv
    required_scopes = {"GET": "integrations:read"}
    raises = {"GET": ("INTEGRATION_NOT_CONNECTED",)}

    @classmethod
    def of(cls, provider: Provider) -> type[APIView]:
        view = type(f"{provider.name.title().replace('_', '')}ReconciliationView", (cls,), {"provider": provider})
        return reconciliation_reference(provider, view)

    def get(self, request: Request) -> HttpResponseBase:
        """Compares all invoices and payments of both sides: sums by month, what each customer owes, and every
        difference with its cause and what to do.

        Reads the books, or within five minutes what has changed there since, and writes nothing on either side. Books
        that take long to be read are answered with `UNAVAILABLE` first, and read on meanwhile."""
        first, last, form = _parameters(request)
        with as_api_errors(), _told_of_the_books():
            connection = books_of(self.workspace, self.provider.name)
            report = reconcile_now(connection, first=first, last=last)
        if form == "csv":
            return self._csv(report)
        return Response(as_json(report))

    def _csv(self, report: ReconciliationReport) -> HttpResponse:
        name = f"reconciliation-{report.as_of:%Y-%m-%d}.csv"
        audit_export(name, workspace_id=self.workspace.pk, actor=signature(self.key))
        return HttpResponse(
            "".join(csv_table(report)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _parameters(request: Request) -> tuple[str | None, str, str]:
    """Returns the first day (None: the chosen one), the last one ("": none) and the format, checked."""
    days: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    for name in ("from", "to"):
        text = request.query_params.get(name)
        if text is None:
            continue
        try:
            days[name] = DayField().run_validation(text).isoformat()
        except serializers.ValidationError as error:
            wrong[name] = [str(sentence) for sentence in error.detail]
    if not wrong and days.get("to", "9") < days.get("from", ""):
        wrong["to"] = ["Must not be before from."]
    form = request.query_params.get("format", FORMATS[0])
    if form not in FORMATS:
        wrong["format"] = [f"Must be one of {', '.join(FORMATS)}."]
    if wrong:
        raise validation_error(wrong)
    return days.get("from"), days.get("to", ""), form


@contextmanager
def _told_of_the_books() -> Iterator[None]:
    """Answers 503 where the books cannot be asked, or not in time."""
    try:
        yield
    except StillReading as error:
        raise ApiError("UNAVAILABLE", str(error), headers={"Retry-After": SOON}) from error
    except ProviderError as error:
        seconds = LATER
        if isinstance(error, RateLimited):
            seconds = str(max(math.ceil((error.retry_at - timezone.now()) / dt.timedelta(seconds=1)), 1))
        message = f"The books cannot be read just now: {error}"
        raise ApiError("UNAVAILABLE", message, headers={"Retry-After": seconds}) from error


def as_json(report: ReconciliationReport) -> dict[str, Any]:
    """Returns the report as the API answers it."""
    remote = report.provider.remote_id_name
    return {
        "integration": report.provider.name,
        "as_of": instant(report.as_of),
        "from": report.period.first or None,
        "to": report.period.last or None,
        "agrees": not report.differences,
        "invoices": report.invoices,
        "open_here": _number(report.open_here),
        "open_there": _number(report.open_there),
        "credits_there": _number(report.credits_there),
        "entries_there": _number(report.entries_there),
        "balance_there": _number(report.balance_there),
        "amount": _number(report.amount),
        "states": {
            f"{kind.name}s": {state: report.comparison.states[kind.name][state] for state in DocumentState}
            for kind in READ
        },
        "months": [_month(month, sums) for month, sums in sorted(report.comparison.months.items())],
        "customers": [
            {
                "client_id": row.client_id or None,
                remote: row.remote_id or None,
                "name": row.name,
                "open_here": _number(row.here),
                "open_there": _number(row.there),
                "difference": _number(row.difference),
                "credits_there": _number(row.credits),
                "entries_there": _number(row.entries),
                "balance_there": _number(row.balance),
            }
            for row in report.customers
        ],
        "credits": [_credit(row, remote) for row in report.credits],
        "entries": [_entry(row, remote) for row in report.entries],
        "differences": [_difference(row, remote) for row in report.differences],
        "accepted": [_accepted(row, remote) for row in report.accepted],
    }


def _month(month: str, sums: MonthSums) -> dict[str, Any]:
    kinds = {f"{kind.name}s": _both(sums.of(kind.name)) for kind in READ}
    return {"month": month, **kinds, "apart": {f"{kind.name}s": _both(sums.of(kind.name, True)) for kind in READ}}


def _both(sums: dict[BooksSideName, SideSum]) -> dict[str, Any]:
    return {side: {"count": sums[side].count, "total": _number(sums[side].total)} for side in SIDES}


def _difference(row: DifferenceRow, remote: str) -> dict[str, Any]:
    difference, pair = row.difference, row.difference.pair
    return {
        "kind": pair.kind,
        "record_id": pair.record_id or None,
        remote: pair.remote_id or None,
        "number": row.number or None,
        "name": row.party.name,
        "client_id": row.party.client_id or None,
        "here": _number(difference.amount(HERE)),
        "there": _number(difference.amount(THERE)),
        "date_here": row.here.date if row.here else None,
        "date_there": row.there.date if row.there else None,
        "open": [_owed(owed, remote) for owed in row.owed],
        "cause": difference.cause,
        "fields": list(difference.fields),
        "state": pair.state,
        "message": row.sentence,
        "next_action_url": row.next_action_url,
    }


def _credit(row: CreditRow, remote: str) -> dict[str, Any]:
    return {
        remote: row.remote_id,
        "number": row.number or None,
        "date": row.date or None,
        "name": row.party.name,
        "client_id": row.party.client_id or None,
        "total": _number(row.total),
        "open": _number(row.left),
    }


def _entry(row: EntryRow, remote: str) -> dict[str, Any]:
    return {
        remote: row.remote_id or None,
        "kind": row.kind,
        "number": row.number or None,
        "date": row.date or None,
        "name": row.party.name,
        "client_id": row.party.client_id or None,
        "open": _number(row.left),
    }


def _accepted(row: AcceptedRow, remote: str) -> dict[str, Any]:
    return {
        "cause": row.gap.cause,
        "client_id": row.party.client_id or None,
        remote: row.gap.customer,
        "name": row.party.name,
        "amount": _number(row.gap.amount),
        "accepted_at": instant(row.accepted_at),
    }


def _owed(row: OwedRow, remote: str) -> dict[str, Any]:
    return {
        "client_id": row.client_id or None,
        remote: row.remote_id or None,
        "here": _number(row.here),
        "there": _number(row.there),
    }


def _number(value: Decimal | None) -> int | float | None:
    return None if value is None else _amount.to_representation(value)
