"""What is told of one record by itself, whatever its kind: a view of its own for each kind that is synced."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema_view

from fieldcamp.api.errors import ApiError
from fieldcamp.api.views import ApiView
from integrations.kinds import KINDS
from integrations.selectors.subjects import local_kind, models

SCOPE = "integrations:read"
_PLURALS = {"tax": "taxes"}


class OneRecordView(ApiView):
    """Answers about one record of one kind."""

    kind: ClassVar[str]
    tag = "Record sync"
    enveloped = True
    further_scopes = (SCOPE,)

    def record(self, record_id: str) -> Any:
        """Returns the caller's record, deleted ones included. Raises NOT_FOUND."""
        model: Any = models()[self.kind]
        found = model.objects.filter(pk=record_id, workspace=self.workspace).first()
        if found is None:
            raise ApiError("NOT_FOUND", f"There is no such {local_kind(self.kind)}.")
        return found


View = TypeVar("View", bound=OneRecordView)


def for_each_kind(
    base: type[View], suffix: str, described: Callable[[str], Callable[[Any], Any]]
) -> Mapping[str, type[View]]:
    """Returns a view for each kind of records, by the resource's name; `described` says of a kind how the reference
    describes its GET."""

    def view(kind: str) -> type[View]:
        fields = {"kind": kind, "required_scopes": {"GET": f"{resource_of(kind)}:read"}}
        own = type(f"{local_kind(kind).title()}{suffix}", (base,), fields)
        return extend_schema_view(get=described(kind))(own)

    return {resource_of(kind): view(kind) for kind in KINDS if kind in models()}


def resource_of(kind: str) -> str:
    """Returns what records of this kind are called in addresses and scopes."""
    name = local_kind(kind)
    return _PLURALS.get(name, f"{name}s")
