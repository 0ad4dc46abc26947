"""By what a company sorts its sales beside accounts: classes and locations (QuickBooks' departments), and its terms.

Which of them there are is said by its preferences; that one is wanted, by a refusal alone.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/class · …/department · …/term
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.providers.quickbooks.mapping.lines import SALE, flat, is_charge
from integrations.providers.quickbooks.mapping.parts import Body, ref, ref_id
from integrations.records import Fields

# What can be chosen for new invoices: the entity, and which property is its name.
LISTS: Mapping[str, tuple[str, str]] = {
    "class": ("Class", "FullyQualifiedName"),
    "location": ("Department", "FullyQualifiedName"),
    "terms": ("Term", "Name"),
}
_QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|«[^»]*»|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
_NAMES = r"\b(?:class|location|department)\b(?! (?:of|name|type|code)\b)"
_ANY = r"(?:(?:a|an|the|your|any|one|each|valid|that) ){0,3}"
# What asks for one: "must have a class", "select a class and a location", "a location is required".
_DEMANDS = re.compile(
    rf"\b(?:have|select|choose|set|requires?|must \w+) {_ANY}{_NAMES}(?:(?:,| and| or) {_ANY}{_NAMES})?"
    rf"|{_NAMES} (?:(?:is|are) (?:required|missing)|must be (?:set|chosen|selected)|required)\b",
    re.IGNORECASE,
)


def class_tracking(preferences: Mapping[str, Any]) -> str:
    """Returns where a sale has its class: on each "line", once for the "document", or "" nowhere."""
    if preferences.get("ClassTrackingPerTxnLine"):
        return "line"
    return "document" if preferences.get("ClassTrackingPerTxn") else ""


def with_categories(body: Body, fields: Fields, tracking: str, locations: bool) -> dict[str, Any]:
    """Returns the body of a new invoice with the class, location and terms that `fields` name, the class where the
    company has it, the location if it has any: both can be turned off after one was chosen."""
    found = dict(body)
    if fields.get("class") and tracking == "line":
        found["Line"] = [_classed(line, fields["class"]) for line in body.get("Line") or ()]
    elif fields.get("class") and tracking:
        found["ClassRef"] = ref(fields["class"])
    if fields.get("location") and locations:
        found["DepartmentRef"] = ref(fields["location"])
    if fields.get("terms"):
        found["SalesTermRef"] = ref(fields["terms"])
    return found


def _classed(line: Body, chosen: str) -> Body:
    return {**line, SALE: {**line[SALE], "ClassRef": ref(chosen)}} if SALE in line else line


def with_class_of_new_rows(body: Body, present: Body, chosen: str, tracking: str) -> dict[str, Any]:
    """Returns the body of an edit whose new rows have the class that all sales on the invoice share, else the `chosen`
    one: a company that wants a class refuses the whole edit for a row without."""
    if tracking != "line" or "Line" not in body:
        return dict(body)
    standing = [ref_id(row[SALE], "ClassRef") for row in flat(present.get("Line") or ()) if _is_sale(row)]
    shared = standing[0] if len({*standing}) == 1 else ""
    found = shared or chosen
    rows = [_classed(row, found) if found and is_new_without_class(row) else row for row in body["Line"]]
    return {**body, "Line": rows}


def is_new_without_class(row: Body) -> bool:
    """Returns whether a row that is sent is a new sale, and bears no class."""
    return _is_sale(row) and not row.get("Id") and not ref_id(row[SALE], "ClassRef")


def _is_sale(row: Body) -> bool:
    return row.get("DetailType") == SALE and SALE in row and not is_charge(row)


def demanded(said: str) -> tuple[str, ...]:
    """Returns which of them a refusal asks for: "class", "location", both or none. What it quotes are names."""
    found = " ".join(_DEMANDS.findall(" ".join(_QUOTED.sub("“”", said).split()))).casefold()
    return tuple(
        name
        for name, words in (("class", ("class",)), ("location", ("location", "department")))
        if any(word in found for word in words)
    )


def has(body: Body, category: str) -> bool:
    """Returns whether what was sent names one."""
    if category == "location":
        return "DepartmentRef" in body
    return "ClassRef" in body or any("ClassRef" in detail for detail in _details(body))


def _details(body: Body) -> Iterator[Body]:
    return (line[SALE] for line in body.get("Line") or () if isinstance(line, Mapping) and SALE in line)
