"""QuickBooks' bodies and our records, to and fro. Pure functions, one module for each kind."""

from integrations.providers.quickbooks.mapping import customers, items
from integrations.records import Fields

_LISTS = {"customer": customers, "item": items}


def kept(kind: str, fields: Fields) -> Fields:
    """Returns the fields as they will read once they have been written: without what QuickBooks has no room for."""
    if kind not in _LISTS:
        return fields
    read = _LISTS[kind].to_fields(_LISTS[kind].to_body(fields, create=False))
    return {name: read.get(name, value) for name, value in fields.items()}
