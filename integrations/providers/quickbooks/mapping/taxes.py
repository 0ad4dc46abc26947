"""Tax codes with their rates; read only. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fieldcamp.money import plain
from integrations.providers.quickbooks.mapping.parts import NO_TAX, TAX, Body, decimal, ref_id, text
from integrations.records import Fields, digest

Rates = Mapping[str, Body]  # by id


def is_code(body: Body) -> bool:
    """Returns whether it is a code of its own, and not one of the two words that only say whether a line is taxed."""
    return body.get("Id") not in (TAX, NO_TAX)


def to_fields(body: Body, rates: Rates, today: dt.date) -> dict[str, Any]:
    listed = (body.get("SalesTaxRateList") or {}).get("TaxRateDetail") or []
    found = [rates.get(ref_id(row, "TaxRateRef")) for row in listed]
    components = [
        {"name": text(rate, "Name"), "rate": plain(percent(rate, today) / 100)} for rate in found if rate is not None
    ]
    return {
        "name": text(body, "Name"),
        "rate": plain(sum((Decimal(part["rate"]) for part in components), Decimal(0))),
        "components": components,
        "active": body.get("Active") is not False,
    }


def shown(fields: Fields) -> dict[str, Any]:
    return {"name": fields["name"]}


def tag(body: Body, fields: Fields) -> str:
    """Returns a tag of the code with its rates: the code itself stays as it is when a rate that it names changes."""
    return f"{body.get('SyncToken') or 0}.{digest(fields)[:12]}"


def percent(rate: Body, today: dt.date) -> Decimal:
    """Returns the percentage that holds today: a rate may have a history, and a future."""
    for row in rate.get("EffectiveTaxRate") or ():
        begins, ends = (str(row.get(name) or "")[:10] for name in ("EffectiveDate", "EndDate"))
        if begins <= today.isoformat() and (not ends or today.isoformat() <= ends):
            return decimal(row.get("RateValue"))
    return decimal(rate.get("RateValue"))
