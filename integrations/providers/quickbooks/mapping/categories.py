"""By what a company sorts its sales beside accounts: classes and locations (QuickBooks' departments), and its terms.

Which of them there are is said by its preferences; that one is wanted, by a refusal alone.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/class · …/department · …/term
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.providers.quickbooks.mapping.parts import Body, ref
from integrations.records import Fields

# What can be chosen for new invoices: the entity, and which property is its name.
LISTS: Mapping[str, tuple[str, str]] = {
    "class": ("Class", "FullyQualifiedName"),
    "location": ("Department", "FullyQualifiedName"),
    "terms": ("Term", "Name"),
}
_WANTED = re.compile(r"\b(class|location|department)\b", re.IGNORECASE)
_SALES = "SalesItemLineDetail"


def class_tracking(preferences: Mapping[str, Any]) -> str:
    """Returns where a sale has its class: on each "line", once for the "document", or "" nowhere."""
    if preferences.get("ClassTrackingPerTxnLine"):
        return "line"
    return "document" if preferences.get("ClassTrackingPerTxn") else ""


def with_categories(body: Body, fields: Fields, tracking: str) -> dict[str, Any]:
    """Returns the body of a new invoice with the class, location and terms that `fields` name, the class where the
    company has it."""
    found = dict(body)
    if fields.get("class") and tracking == "line":
        found["Line"] = [_classed(line, fields["class"]) for line in body.get("Line") or ()]
    elif fields.get("class") and tracking:
        found["ClassRef"] = ref(fields["class"])
    if fields.get("location"):
        found["DepartmentRef"] = ref(fields["location"])
    if fields.get("terms"):
        found["SalesTermRef"] = ref(fields["terms"])
    return found


def _classed(line: Body, chosen: str) -> Body:
    return {**line, _SALES: {**line[_SALES], "ClassRef": ref(chosen)}} if _SALES in line else line


def wanted(said: str) -> str:
    """Returns which of them QuickBooks asks for in its own words: "class", "location" or ""."""
    found = _WANTED.search(said)
    return "" if found is None else "class" if found[0].casefold() == "class" else "location"


def has(body: Body, category: str) -> bool:
    """Returns whether what was sent names one."""
    if category == "location":
        return "DepartmentRef" in body
    return "ClassRef" in body or any("ClassRef" in detail for detail in _details(body))


def _details(body: Body) -> Iterator[Body]:
    return (line[_SALES] for line in body.get("Line") or () if isinstance(line, Mapping) and _SALES in line)
