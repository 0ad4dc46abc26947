"""Customers. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer"""

from typing import Any

from integrations.providers.quickbooks.mapping.parts import (
    Body,
    name,
    one_line,
    ref_id,
    text,
    tidy,
    within,
    without_deleted,
)
from integrations.records import Fields

STREET = ("Line1", "Line2", "Line3", "Line4", "Line5")
PLACE = {"city": "City", "state": "CountrySubDivisionCode", "postalCode": "PostalCode", "country": "Country"}
NAMES = {"display_name": "DisplayName", "given_name": "GivenName", "family_name": "FamilyName"}
ADDRESSES = {"bill_address": "BillAddr", "ship_address": "ShipAddr"}


def to_fields(body: Body) -> dict[str, Any]:
    return {
        "display_name": without_deleted(body, "DisplayName"),
        "given_name": text(body, "GivenName"),
        "family_name": text(body, "FamilyName"),
        "company": text(body, "CompanyName"),
        "email": within(body, "PrimaryEmailAddr", "Address"),
        "phone": within(body, "PrimaryPhone", "FreeFormNumber"),
        **{ours: address(body.get(theirs)) for ours, theirs in ADDRESSES.items()},
        "active": body.get("Active") is not False,
        "currency": ref_id(body, "CurrencyRef"),
        "parent": ref_id(body, "ParentRef"),
    }


def shown(fields: Fields) -> dict[str, Any]:
    return {"name": fields["display_name"]}


def address(body: Any) -> dict[str, str] | None:
    """Returns the address as ours; None for one that says nothing."""
    if not isinstance(body, dict):
        return None
    street = "\n".join(line for name in STREET if (line := text(body, name)))
    found = {"street": street, **{ours: text(body, theirs) for ours, theirs in PLACE.items()}}
    return {name: value for name, value in found.items() if value} or None


def to_body(fields: Fields, *, create: bool) -> dict[str, Any]:
    """Returns the part of a customer that `fields` say. What is emptied is sent empty."""
    body: dict[str, Any] = {theirs: name(fields[ours]) for ours, theirs in NAMES.items() if ours in fields}
    if "company" in fields:
        body["CompanyName"] = one_line(fields["company"], 100)
    if "email" in fields:
        body["PrimaryEmailAddr"] = {"Address": one_line(fields["email"], 100)}
    if "phone" in fields:
        body["PrimaryPhone"] = {"FreeFormNumber": one_line(fields["phone"], 30)}
    for ours, theirs in ADDRESSES.items():
        if ours in fields:
            body[theirs] = address_body(fields[ours])
    return {name: value for name, value in body.items() if _says(value)} if create else body


def address_body(value: Any) -> dict[str, str]:
    """Returns all parts, the empty ones too: an address is replaced as a whole."""
    found = value or {}
    lines = [line.strip() for line in tidy(str(found.get("street") or "")).split("\n") if line.strip()]
    if len(lines) > len(STREET):
        lines[len(STREET) - 1 :] = [", ".join(lines[len(STREET) - 1 :])]
    lines += [""] * (len(STREET) - len(lines))
    place = {theirs: one_line(found.get(ours), 255) for ours, theirs in PLACE.items()}
    return {**{part: line[:500] for part, line in zip(STREET, lines, strict=True)}, **place}


def _says(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)
