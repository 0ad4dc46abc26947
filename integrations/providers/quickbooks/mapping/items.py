"""Items: services and products. Categories, bundles, and what has a share instead of a price are none of ours.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/item
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fieldcamp.money import plain
from integrations.providers.quickbooks.mapping.parts import (
    Body,
    decimal,
    name,
    number,
    one_line,
    ref,
    ref_id,
    text,
    without_deleted,
)
from integrations.records import Fields, tidy

# Companies that came from QuickBooks Desktop have some that QuickBooks Online does not make: of these `UnitPrice` is a
# share (0.4 is 40 %), or nothing at all.
FOREIGN_TYPES = ("Category", "Group", "Bundle", "Discount", "Tax", "Tax Group", "Subtotal", "Payment")
PRICE = Decimal("0.0000001")
TYPES = {"service": "Service", "product": "NonInventory"}


def is_item(body: Body) -> bool:
    return body.get("Type") not in FOREIGN_TYPES and "RatePercent" not in body


def to_fields(body: Body, rates: Mapping[str, Decimal] | None = None) -> dict[str, Any]:
    """Returns what the item says: whether it is taxed only where it does, and no price that includes the tax, as
    FieldCamp's prices are before tax. That one is beside it, and what it is before tax, where the item's own tax code
    is one of `rates` (fractions)."""
    taxed = bool(body.get("Taxable") or ref_id(body, "SalesTaxCodeRef"))
    return {
        "name": without_deleted(body, "Name"),
        "description": text(body, "Description"),
        **(
            {"gross_price": plain(decimal(body.get("UnitPrice"))), **_net(body, rates or {})}
            if body.get("SalesTaxIncluded")
            else {"price": plain(decimal(body.get("UnitPrice")))}
        ),
        "sku": text(body, "Sku"),
        **({"taxable": taxed} if taxed or "Taxable" in body else {}),
        "active": body.get("Active") is not False,
        "type": "service" if body.get("Type") == "Service" else "product",
        "income_account": ref_id(body, "IncomeAccountRef"),
    }


def _net(body: Body, rates: Mapping[str, Decimal]) -> dict[str, str]:
    rate = rates.get(ref_id(body, "SalesTaxCodeRef"))
    return {} if rate is None else {"net_price": plain((decimal(body.get("UnitPrice")) / (1 + rate)).quantize(PRICE))}


def shown(fields: Fields) -> dict[str, Any]:
    return {"name": fields["name"]}


def to_body(fields: Fields, *, create: bool) -> dict[str, Any]:
    """Returns the part of an item that `fields` say. A new one is active, whatever they say: nothing else can be
    made."""
    body: dict[str, Any] = {}
    if "name" in fields:
        body["Name"] = name(fields["name"])
    if "description" in fields:
        body["Description"] = tidy(fields["description"] or "")[:4000]
    if "price" in fields:
        body["UnitPrice"] = number(fields["price"])
    if "sku" in fields:
        body["Sku"] = one_line(fields["sku"], 100)
    if "taxable" in fields:
        body["Taxable"] = bool(fields["taxable"])
    if "active" in fields and not create:
        body["Active"] = bool(fields["active"])
    if fields.get("type"):
        body["Type"] = TYPES[fields["type"]]
    if fields.get("income_account"):
        body["IncomeAccountRef"] = ref(fields["income_account"])
    return {key: value for key, value in body.items() if value != ""} if create else body
