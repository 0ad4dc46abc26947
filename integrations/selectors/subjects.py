"""The FieldCamp records that problems and links are about, whatever their kind."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.apps import apps

from fieldcamp.workspace.tracking import TrackedModel
from integrations.kinds import CUSTOMER, KINDS

# What the books call otherwise than FieldCamp.
_LOCAL = {"customer": "client"}
Subjects = dict[tuple[str, str], TrackedModel]


@lru_cache(maxsize=1)
def models() -> dict[str, type[TrackedModel]]:
    """Returns the model of each kind of the sync that has records in FieldCamp."""
    own = {model.kind: model for model in apps.get_models() if issubclass(model, TrackedModel)}
    return {kind: own[local] for kind in KINDS if (local := local_kind(kind)) in own}


def local_kind(kind: str) -> str:
    """Returns how the change log calls this kind."""
    return _LOCAL.get(kind, kind)


def kinds_of(record: TrackedModel) -> list[str]:
    """Returns how the sync calls the record's kind."""
    return [kind for kind, model in models().items() if isinstance(record, model)]


def subjects(keys: Iterable[tuple[str, str, str]]) -> Subjects:
    """Returns records by (kind, id) for (workspace, kind, id): one query for each kind."""
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for workspace_id, kind, record_id in keys:
        if kind in models() and record_id:
            wanted[kind].add((workspace_id, record_id))
    found: Subjects = {}
    for kind, ids in wanted.items():
        rows: Any = models()[kind].objects.filter(pk__in=[record_id for _, record_id in ids])
        names = {field.name for field in models()[kind]._meta.fields}
        if "client" in names:
            rows = rows.select_related("client__parent")
        elif kind == CUSTOMER.name:
            rows = rows.select_related("parent")
        found |= {(kind, row.pk): row for row in rows if (row.workspace_id, row.pk) in ids}
    return found
