"""Telling an edit of ours from what became of a value on its way here.

FieldCamp keeps what it takes over in its own form: shorter, rounded, taken apart. Written back, that would change the
books although nobody has changed anything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fieldcamp.workspace.books import fitted
from fieldcamp.workspace.tracking import TrackedModel
from integrations.records import Fields

Taken = Callable[[Fields], Mapping[str, Any]]  # what of the books' fields becomes of a record's


def as_agreed(record: TrackedModel, fields: Fields, agreed: Fields | None, taken: Taken) -> dict[str, Any]:
    """Returns our record's fields, each as the books had it when both sides agreed, unless it was edited here since."""
    return {name: _said(record, name, value, agreed or {}, taken) for name, value in fields.items()}


def _said(record: TrackedModel, name: str, value: Any, agreed: Fields, taken: Taken) -> Any:
    if agreed.get(name) is None or agreed[name] == value:
        return value
    values = fitted(type(record), taken({name: agreed[name]}))
    unedited = bool(values) and all(getattr(record, field) == kept for field, kept in values.items())
    return agreed[name] if unedited else value
