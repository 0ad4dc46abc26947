"""What can be done with items and tax rates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from fieldcamp.money import plain
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Item, ItemType, TaxRate, Workspace
from fieldcamp.workspace.saving import Check, different, hide, known, locked, save_changes

ITEM_FIELDS = frozenset(Item.tracked) - {"deleted_at"}
TAX_FIELDS = frozenset(TaxRate.tracked) - {"deleted_at", "history"} | {"description"}


def create_item(
    *,
    workspace: Workspace,
    name: str,
    description: str = "",
    price: Decimal = Decimal(0),
    sku: str = "",
    type: str = ItemType.SERVICE,
    taxable: bool = True,
    is_active: bool = True,
) -> Item:
    """Creates a product or service. Two may have the same name."""
    _check_item({"name": name, "price": price})
    return Item.objects.create(
        workspace=workspace,
        name=name,
        description=description,
        price=price,
        sku=sku,
        type=type,
        taxable=taxable,
        is_active=is_active,
    )


def update_item(*, workspace: Workspace, item_id: str, changes: Mapping[str, Any], check: Check | None = None) -> Item:
    """Makes `changes` (model field → value) to the item under its lock; lines that have it stay as they
    are."""
    changes = known(changes, ITEM_FIELDS)
    with transaction.atomic():
        item = locked(Item, workspace, item_id, check)
        # What a sync has brought in may be negative (a discount that is sold as a service): kept, though not made here.
        _check_item(different(item, changes))
        save_changes(item, changes)
    return item


def delete_item(*, workspace: Workspace, item_id: str, check: Check | None = None) -> Item:
    """Hides the item; invoices that have it stay as they are."""
    return hide(Item, workspace, item_id, check)


def _check_item(values: Mapping[str, Any]) -> None:
    _check_name(values)
    if "price" in values and values["price"] < 0:
        raise InvalidFields.of("price", "Must not be negative.")


def create_tax_rate(
    *,
    workspace: Workspace,
    name: str,
    rate: Decimal | None = None,
    components: Sequence[Mapping[str, str]] = (),
    description: str = "",
    is_active: bool = True,
) -> TaxRate:
    """Creates a tax rate: `rate` as a fraction, or the components whose sum it is."""
    _check_name({"name": name})
    parts = _parts(components)
    return TaxRate.objects.create(
        workspace=workspace,
        name=name,
        rate=_rate(rate, parts),
        components=parts,
        description=description,
        is_active=is_active,
    )


def update_tax_rate(
    *, workspace: Workspace, tax_rate_id: str, changes: Mapping[str, Any], check: Check | None = None
) -> TaxRate:
    """Makes `changes` to the tax rate under its lock. A rate that a person sets is that of every day. Invoices that
    were sent keep the rates that they have."""
    changes = known(changes, TAX_FIELDS)
    with transaction.atomic():
        tax = locked(TaxRate, workspace, tax_rate_id, check)
        edited = different(tax, changes)
        _check_name(edited)
        if {"rate", "components"} & {*edited}:
            parts = _parts(changes.get("components", tax.components))
            given = changes.get("rate", None if parts else tax.rate)
            changes |= {"rate": _rate(given, parts), "components": parts}
            if different(tax, changes).keys() & {"rate", "components"}:
                changes["history"] = []
        save_changes(tax, changes)
    return tax


def delete_tax_rate(*, workspace: Workspace, tax_rate_id: str, check: Check | None = None) -> TaxRate:
    """Hides the tax rate; invoices that have it stay as they are."""
    return hide(TaxRate, workspace, tax_rate_id, check)


def _check_name(values: Mapping[str, Any]) -> None:
    if "name" in values and not values["name"]:
        raise InvalidFields.of("name", "A name is required.")


def _parts(components: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns the components as they are stored, their rates in one spelling."""
    return [{"name": str(part["name"]), "rate": plain(part["rate"])} for part in components]


def sum_of(parts: Sequence[Mapping[str, str]]) -> Decimal:
    return sum((Decimal(part["rate"]) for part in parts), Decimal(0))


def _rate(rate: Decimal | None, parts: Sequence[Mapping[str, str]]) -> Decimal:
    if parts:
        if rate is not None and rate != sum_of(parts):
            raise InvalidFields.of("rate", "Must be the sum of the components' rates, or left out.")
        rate = sum_of(parts)
    if rate is None:
        raise InvalidFields.of("rate", "A rate, or components, is required.")
    if not 0 <= rate <= 1 or any(Decimal(part["rate"]) < 0 for part in parts):
        raise InvalidFields.of("rate", "Must be a fraction from 0 to 1, such as 0.08 for 8 %.")
    return rate
