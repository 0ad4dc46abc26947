"""Tax codes with their rates; read only. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import plain
from integrations.providers.quickbooks.mapping.parts import NO_TAX, TAX, Body, decimal, ref_id, text
from integrations.records import Fields, RemoteRecord, digest

Rates = Mapping[str, Body]  # by id
FIRST_DAY = "0001-01-01"


def is_code(body: Body) -> bool:
    """Returns whether it is a code of its own, and not one of the two words that only say whether a line is taxed."""
    return body.get("Id") not in (TAX, NO_TAX)


def to_record(body: Body, rates: Rates, today: dt.date) -> RemoteRecord:
    fields = to_fields(body, rates, today)
    return RemoteRecord(str(body["Id"]), tag(body, fields), "tax", fields, shown=shown(fields))


def to_fields(body: Body, rates: Rates, today: dt.date) -> dict[str, Any]:
    """Returns the code as it is today, and what it was and will be where that is something else."""
    listed = (body.get("SalesTaxRateList") or {}).get("TaxRateDetail") or []
    found = [rate for row in listed if (rate := rates.get(ref_id(row, "TaxRateRef"))) is not None]
    components = _parts(found, today.isoformat())
    return {
        "name": text(body, "Name"),
        "rate": plain(sum((Decimal(part["rate"]) for part in components), Decimal(0))),
        "components": components,
        "history": _history(found),
        "active": body.get("Active") is not False,
    }


def _parts(rates: Sequence[Body], day: str) -> list[dict[str, str]]:
    return [{"name": text(rate, "Name"), "rate": plain(percent(rate, day) / 100)} for rate in rates]


def _history(rates: Sequence[Body]) -> list[dict[str, Any]]:
    """Returns [{"from", "components"}], one for each day on which one of the rates became another; nothing where none
    ever did."""
    days = {day for rate in rates for row in rate.get("EffectiveTaxRate") or () for day in _turns(row)}
    history: list[dict[str, Any]] = []
    for day in sorted(days):
        parts = _parts(rates, day)
        if not history or history[-1]["components"] != parts:
            history.append({"from": day, "components": parts})
    return history if len(history) > 1 else []


def _turns(row: Body) -> Iterator[str]:
    """Yields the days on which something else begins to hold: with this row, and after it."""
    begins, ends = _span(row)
    yield begins or FIRST_DAY
    if ends:
        with contextlib.suppress(ValueError, OverflowError):
            yield (dt.date.fromisoformat(ends) + dt.timedelta(days=1)).isoformat()


def _span(row: Body) -> tuple[str, str]:
    """Returns the first and the last day of a row, "" where it has none. An instant counts as its company's day."""
    begins, ends = (str(row.get(name) or "")[:10] for name in ("EffectiveDate", "EndDate"))
    return begins, ends


def shown(fields: Fields) -> dict[str, Any]:
    return {"name": fields["name"]}


def tag(body: Body, fields: Fields) -> str:
    """Returns a tag of the code with its rates: the code itself stays as it is when a rate that it names changes."""
    return f"{body.get('SyncToken') or 0}.{digest(fields)[:12]}"


def percent(rate: Body, day: str) -> Decimal:
    """Returns the percentage that holds on a day: a rate may have a history, and a future. Of rows that overlap the
    last that has begun counts; on days of no row it is what the rate says itself."""
    rows = [(_span(row), row) for row in rate.get("EffectiveTaxRate") or ()]
    held = [(begins, row) for (begins, ends), row in rows if begins <= day and (not ends or day <= ends)]
    return decimal((max(held, key=lambda one: one[0])[1] if held else rate).get("RateValue"))
