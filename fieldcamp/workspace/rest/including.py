"""What lists of records show of each row besides its own fields, where it is asked for with `include`.

Whoever knows more of records than the workspace does registers that here in `AppConfig.ready()`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from fieldcamp.api.models import ApiKey
from fieldcamp.api.pagination import choice_parameter
from fieldcamp.api.permissions import require_scope
from fieldcamp.workspace.tracking import TrackedModel

SYNC = "sync"
NAMES = (SYNC,)
INCLUDE = OpenApiParameter(
    "include",
    str,
    enum=[*NAMES],
    many=True,
    description="`sync`: each row has how the record stands with each account, as its `/sync` address tells it. The "
    "key needs the scope `integrations:read` for it.",
)


@dataclass(frozen=True)
class Inclusion:
    """`read` returns what is shown of each of a company's records, by their ids; for all of them in a constant number
    of queries. `shape` describes it, `scope` is what a key needs for it."""

    scope: str
    shape: type[Serializer]
    read: Callable[[str, Sequence[TrackedModel]], Mapping[str, Any]]


_inclusions: dict[str, Inclusion] = {}


def register_inclusion(name: str, inclusion: Inclusion) -> None:
    assert name in NAMES
    _inclusions[name] = inclusion


def shapes() -> dict[str, type[Serializer]]:
    """Returns what rows may have besides, by name."""
    return {name: _inclusions[name].shape for name in NAMES if name in _inclusions}


def asked(request: Request, key: ApiKey) -> list[str]:
    """Returns what is to be included; 400 for what there is not, 403 for what the key may not see."""
    names = choice_parameter(request, INCLUDE.name, [*_inclusions])
    for name in names:
        require_scope(key, _inclusions[name].scope)
    return names


def with_included(
    names: Sequence[str], workspace_id: str, records: Sequence[TrackedModel], rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the rows of these records with what is to be included."""
    found = {name: _inclusions[name].read(workspace_id, records) for name in names}
    return [
        {**row, **{name: known[record.pk] for name, known in found.items()}}
        for record, row in zip(records, rows, strict=True)
    ]
