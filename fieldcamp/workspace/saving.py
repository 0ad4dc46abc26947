"""What the services share: only fields that may be changed, only those that differ, and deletion that hides."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import Client, Workspace
from fieldcamp.workspace.tracking import TrackedModel

Record = TypeVar("Record", bound=TrackedModel)
Check = Callable[[Any], None]


def known(changes: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """Returns the changes as a dict of their own; TypeError for a field that is not one of these."""
    unknown = set(changes) - fields
    if unknown:
        raise TypeError(f"Not fields that can be changed: {', '.join(sorted(unknown))}")
    return dict(changes)


def different(record: TrackedModel, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if getattr(record, name) != value}


def put(record: TrackedModel, values: Mapping[str, Any]) -> set[str]:
    """Sets what differs; the names of that."""
    changed = different(record, values)
    for name, value in changed.items():
        setattr(record, name, value)
    return {*changed}


def save_changes(record: TrackedModel, values: Mapping[str, Any]) -> None:
    """Saves what differs, if anything does."""
    changed = put(record, values)
    if changed:
        record.save(update_fields=list(changed))


def locked(model: type[Record], workspace: Workspace, record_id: str, check: Check | None = None) -> Record:
    """Returns the living record under its lock, once `check` has seen it."""
    record: Record = model.objects.alive().select_for_update().get(workspace=workspace, pk=record_id)
    if check:
        check(record)
    return record


def is_client(workspace: Workspace, client_id: str) -> bool:
    """Returns whether there is such a client, who then is neither merged into another nor deleted before the caller's
    transaction ends."""
    rows = Client.objects.alive().filter(workspace=workspace, pk=client_id).select_for_update(no_key=True)
    return bool(list(rows.values_list("pk", flat=True)))


def refuse_client(workspace: Workspace, client_id: str) -> str:
    """Returns why nothing new can be made for this client, and where one that was merged has gone."""
    rows = Client.objects.filter(workspace=workspace, pk=client_id).exclude(merged_into=None)
    into = rows.values_list("merged_into", flat=True).first()
    return f"This client was merged into {into}. Use that one." if into else "There is no such client."


def hide(model: type[Record], workspace: Workspace, record_id: str, check: Check | None) -> Record:
    """Deletes the record as people see it; its history stays."""
    with transaction.atomic():
        record = locked(model, workspace, record_id, check)
        record.deleted_at = timezone.now()
        record.save(update_fields=["deleted_at"])
    return record
