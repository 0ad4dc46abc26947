"""Per field of a record: who set it last, when, by what way and in which job, by its change log."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Max, Q

from fieldcamp.api.serializers import InstantField
from fieldcamp.webhooks.records import RESOURCES
from fieldcamp.workspace.attribution import is_by_key, key_name
from fieldcamp.workspace.models import Change
from fieldcamp.workspace.tracking import TrackedModel
from integrations.models import Stream

# What the API shows under another name than the column that moves with it.
_SHOWN_AS = {"settlement": "status"}
_INSTANT = InstantField()


@dataclass(frozen=True)
class FieldSource:
    """Who set a field: `column` is the model's name of it, `field` the API's. `kind` is "desk", "api", "sync" or
    "system" (FieldCamp itself), `name` the person, key or account. `job_id` and `integration` are those of a sync, else
    "". Without `kind` nothing is known: it was set before the change log begins."""

    column: str
    field: str
    kind: str = ""
    name: str = ""
    at: dt.datetime | None = None
    job_id: str = ""
    integration: str = ""


@cache
def field_names(model: type[TrackedModel]) -> Mapping[str, str]:
    """Returns the columns of the model whose changes are logged and that the API shows, with the API's names."""
    resource = RESOURCES[model]
    shown = {str(field.source): name for name, field in resource.serializer.fields.items()}
    shown |= {**(resource.parts or {}), **_SHOWN_AS}
    return {column: shown[column] for column in model.tracked if column in shown}


def sources_of(record: TrackedModel) -> list[FieldSource]:
    """Returns who set each field of the record, in the order of its fields; three queries at most."""
    names = field_names(type(record))
    changes = Change.objects.filter(workspace=record.workspace_id, kind=record.kind, record_id=record.pk)  # type: ignore[attr-defined]
    last = changes.order_by().aggregate(
        **{f"last_{number}": Max("seq", filter=Q(after__has_key=column)) for number, column in enumerate(names)}
    )
    rows = {row.seq: row for row in changes.filter(seq__in={seq for seq in last.values() if seq})}
    integrations = _integrations(row for row in rows.values() if row.origin and not row.integration)
    return [
        _source(column, field, rows.get(last[f"last_{number}"]), integrations)
        for number, (column, field) in enumerate(names.items())
    ]


def fields_of(record: TrackedModel) -> list[dict[str, Any]]:
    """Returns the same as the API says it: `{"field", "setBy": {"kind", "name"} | None, "at", "jobId",
    "integration"}`."""
    return [
        {
            "field": source.field,
            "setBy": {"kind": source.kind, "name": source.name or None} if source.kind else None,
            "at": _INSTANT.to_representation(source.at) if source.at else None,
            "jobId": source.job_id or None,
            "integration": source.integration or None,
        }
        for source in sources_of(record)
    ]


def _integrations(rows: Any) -> dict[str, str]:
    """Returns the integrations of the streams from which these changes came, for rows that do not say it themselves."""
    origins = {row.origin for row in rows}
    streams = Stream.objects.filter(pk__in=origins) if origins else Stream.objects.none()
    return dict(streams.values_list("pk", "connection__integration"))


def _source(column: str, field: str, row: Change | None, integrations: Mapping[str, str]) -> FieldSource:
    if row is None:
        return FieldSource(column, field)
    kind, name = _kind(row), row.actor
    if kind == Change.Source.API:
        name = key_name(name)
    integration = row.integration or integrations.get(row.origin, "")
    return FieldSource(column, field, kind, name, row.at, row.job, integration)


def _kind(row: Change) -> str:
    """Returns by what way the change came in; of rows that do not say it, by who made it."""
    if row.source:
        return row.source
    if row.origin:
        return Change.Source.SYNC
    if is_by_key(row.actor):
        return Change.Source.API
    return Change.Source.DESK if row.actor else Change.Source.SYSTEM
