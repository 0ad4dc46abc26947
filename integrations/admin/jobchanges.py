"""What a job has changed of each record, from what to what: by the change log where it was taken in, by what was sent
where it was written there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from fieldcamp.workspace.history import label_of as name_of_field
from fieldcamp.workspace.history import value_in_words
from fieldcamp.workspace.models import Change
from integrations.admin.values import Table, label_of, shown
from integrations.kinds import BLOCK
from integrations.models import CallPurpose, JobItem, Outcome, RecordCall, SyncJob
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.subjects import local_kind, models

MOST = 6  # fields of a record that are told
_MOST_ROWS = 2_000  # calls that are looked through for what was sent before
_WRITES = (CallPurpose.CREATE, CallPurpose.UPDATE)
Key = tuple[str, str, str]  # connection, kind, key


@dataclass(frozen=True)
class ChangedField:
    """One field; `old` is "" where it was not there before, or nobody knows what it was."""

    label: str
    old: str
    new: str


def changes_of(job: SyncJob, items: Sequence[JobItem]) -> dict[Key, list[ChangedField]]:
    """Returns the changed fields of the records that were taken in or sent; four queries at most."""
    found = _taken_in(job, [item for item in items if item.outcome == Outcome.PULLED and item.record_id])
    return found | _sent(job, [item for item in items if item.outcome == Outcome.PUSHED and item.kind != BLOCK.name])


def _taken_in(job: SyncJob, items: Sequence[JobItem]) -> dict[Key, list[ChangedField]]:
    if not items:
        return {}
    rows = Change.objects.filter(
        workspace=job.workspace_id,
        kind__in={local_kind(item.kind) for item in items},
        record_id__in={item.record_id for item in items},
        job=job.pk,
        action=Change.Action.UPDATED,
    )
    by_record: dict[tuple[str, str], list[Change]] = {}
    for row in rows.order_by("seq"):
        by_record.setdefault((row.kind, row.record_id), []).append(row)
    found = {}
    for item in items:
        fields: dict[str, ChangedField] = {}
        model = models().get(item.kind)
        for row in by_record.get((local_kind(item.kind), item.record_id), ()):
            for name in row.after:
                old, new = (_value(name, side.get(name)) for side in (row.before, row.after))
                if model is None or old is None or new is None or name.endswith(("_id", "_digest")):
                    continue
                label = name_of_field(model(), name)
                first = fields.get(name)
                fields[name] = ChangedField(f"{label[:1].upper()}{label[1:]}", first.old if first else old, new)
        found[item.connection_id, item.kind, item.key] = list(fields.values())[:MOST]
    return found


def _sent(job: SyncJob, items: Sequence[JobItem]) -> dict[Key, list[ChangedField]]:
    """Compares what was sent with what was last sent or seen before that."""
    if not items:
        return {}
    ids = {item.record_id or item.key for item in items}
    calls = RecordCall.objects.filter(record_id__in=ids, stream__connection__in={one.connection_id for one in items})
    columns = ("stream__connection", "kind", "record_id", "request", "response")
    mine = calls.filter(job=job.pk, purpose__in=_WRITES, request__isnull=False).order_by("pk")
    first: dict[Key, tuple[str, Any]] = {}
    for pk, connection_id, kind, record_id, request in mine.values_list("pk", *columns[:4]):
        first[connection_id, kind, record_id] = (first.get((connection_id, kind, record_id), (pk,))[0], request)
    if not first:
        return {}
    start = min(pk for pk, _request in first.values())
    known: dict[Key, Mapping[str, Any]] = {}
    earlier = calls.filter(pk__lt=start).order_by("-pk").values_list(*columns)
    for connection_id, kind, record_id, request, response in earlier[:_MOST_ROWS]:
        if request or response:
            known.setdefault((connection_id, kind, record_id), {**(request or {}), **(response or {})})
    names = RemoteNames(
        [(key[0], fields) for key, (_pk, fields) in first.items()] + [(key[0], fields) for key, fields in known.items()]
    )
    found = {}
    for item in items:
        key = (item.connection_id, item.kind, item.record_id or item.key)
        if key in first and item.action != "create_remote" and key in known:
            new, old = (names.named(key[0], fields) for fields in (first[key][1], known[key]))
            differ = [name for name in new if new[name] != old.get(name)]
            found[item.connection_id, item.kind, item.key] = [
                ChangedField(label_of(item.kind, name), _text(name, old.get(name)), _text(name, new[name]))
                for name in differ[:MOST]
            ]
    return found


def _value(name: str, value: Any) -> str | None:
    """Returns a value of the change log in short; None for what has no such form."""
    words = value_in_words(value)
    return _text(name, words) if words else words


def _text(name: str, value: Any) -> str:
    """Returns a value in one line; a list of parts row by row."""
    words = shown(name, value)
    line = "; ".join(", ".join(filter(None, row)) for row in words.rows) if isinstance(words, Table) else words
    return strip_tags(line) if isinstance(line, SafeString) else line
