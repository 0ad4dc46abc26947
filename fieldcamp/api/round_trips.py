"""A record that is sent back as it was read: what stands as it was shown is no edit, whatever is said of such today.

A sync may have brought what the API would not take, and computed values are no one's to set: both come back in a PUT of
what GET has answered. A read-only field passes with the value that it has, and is refused with another.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from fieldcamp.api.errors import MOST_DETAILS, ApiError
from fieldcamp.api.pagination import parse_instant
from fieldcamp.api.serializers import InstantField, refused

_TRIES = 20
# Languages that keep times to the millisecond (JavaScript, Java) send them back so.
_KEPT_OF_A_TIME = dt.timedelta(milliseconds=1)


class ChangedMeanwhile(Exception):
    """The record is not the one any more that the edit was compared with."""


@dataclass(frozen=True)
class Edit:
    """What a PUT or PATCH asks for: model field → value; what was sent as it stands has the value that it has.

    `as_read`: something was sent as it stands, so that the edit holds for this state of the record alone.
    """

    changes: dict[str, Any]
    as_read: bool


def edit_of(
    shape: serializers.Serializer,
    partial_shape: serializers.Serializer,
    sent: Any,
    present: Mapping[str, Any],
    record: Any,
    *,
    whole: bool,
    showing: serializers.Serializer | None = None,
    moving: frozenset[str] = frozenset(),
) -> Edit:
    """Compares what was `sent`, a JSON object, with what GET answers at `present` of the record; ValidationError for
    what cannot be taken.

    `whole`: what is left out gets its default. `showing` is what GET answers with, where that is another serializer.
    `moving` are read-only fields that change by themselves at any time, and are taken with whatever value.
    """
    fields, shown = shape.fields, (showing or shape).fields
    kept = {name for name, value in sent.items() if name in present and _is_same(value, present[name], shown.get(name))}
    kept |= moving & {*sent}
    values: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    rest = {name: value for name, value in sent.items() if name not in kept}
    for name in [name for name in rest if name in present and (name not in fields or fields[name].read_only)]:
        if len(wrong) < MOST_DETAILS:  # there are no more of them than the record has
            wrong[name] = ["This field is read-only. Leave it out, or send the value that it has."]
        del rest[name]
    _take_rows(fields, rest, present, record, values, wrong)
    try:
        values |= partial_shape.run_validation(rest)
    except serializers.ValidationError as exc:
        wrong |= exc.detail if isinstance(exc.detail, dict) else {"body": exc.detail}
    if whole:
        _fill_in(fields, sent, values, wrong)
    if wrong:
        raise refused(wrong)
    values |= _stored(fields, kept, record)
    return Edit(values, bool(kept - moving))


def try_again(work: Callable[[], Any]) -> Any:
    """Returns what `work` does; done anew while it finds that the record has changed meanwhile."""
    for _number in range(_TRIES):
        try:
            return work()
        except ChangedMeanwhile:
            continue
    raise ApiError("UNAVAILABLE", "This record is being changed all the time. Try again.", headers={"Retry-After": "1"})


def _is_same(sent: Any, shown: Any, field: Any = None) -> bool:
    """Returns whether the JSON that was sent is the one that is shown; `1` is `1.0`, and neither is `true`."""
    match sent, shown:
        case (bool(), _) | (_, bool()):
            return sent is shown
        case (int() | float(), int() | float()):
            return bool(sent == shown)
        case (str(), str()):
            if sent == shown:
                return True
            return isinstance(field, InstantField) and _is_same_instant(parse_instant(sent), parse_instant(shown))
        case (dict(), Mapping()):
            return sent.keys() == shown.keys() and all(_is_same(sent[name], shown[name]) for name in sent)
        case (list(), list() | tuple()):
            return len(sent) == len(shown) and all(_is_same(one, other) for one, other in zip(sent, shown, strict=True))
    return sent is None and shown is None


def _is_same_instant(sent: dt.datetime | None, shown: dt.datetime | None) -> bool:
    return sent is not None and shown is not None and abs(sent - shown) < _KEPT_OF_A_TIME


def _stored(fields: Mapping[str, Any], kept: set[str], record: Any) -> dict[str, Any]:
    """Returns what the record has in the fields that were sent as they stand. Rows of other tables are left out: they
    are replaced as a whole, or not at all."""
    writable = [fields[name] for name in kept if name in fields and not fields[name].read_only]
    found = {field.source: getattr(record, field.source) for field in writable}
    return {name: value for name, value in found.items() if not hasattr(value, "all")}


def _take_rows(
    fields: Mapping[str, Any],
    rest: dict[str, Any],
    present: Mapping[str, Any],
    record: Any,
    values: dict[str, Any],
    wrong: dict[str, Any],
) -> None:
    """Takes lists of rows of which some stand as they are: these are not checked anew."""
    for name, field in fields.items():
        rows, shown = rest.get(name), present.get(name)
        if field.read_only or not isinstance(field, serializers.ListSerializer):
            continue
        most = getattr(field, "max_length", None)
        if not isinstance(rows, list) or not isinstance(shown, list) or (most is not None and len(rows) > most):
            continue  # which is told as always
        child: Any = field.child
        stored = getattr(record, str(field.source))
        stored = list(stored.all()) if hasattr(stored, "all") else list(stored)
        places = {_spelled(row): place for place, row in reversed([*enumerate(shown)])}
        computed = _computed(child, shown)
        taken: list[Any] = []
        refusals: list[Any] = []
        for row in rows:
            spelled = _spelled(row)
            place = places.get(spelled) if spelled else None
            try:
                taken.append(
                    child.run_validation(_without(row, computed))
                    if place is None
                    else _as_it_stands(child, stored[place])
                )
                refusals.append({})
            except serializers.ValidationError as exc:
                refusals.append(exc.detail)
        del rest[name]
        if any(refusals):
            wrong[name] = refusals
        else:
            values[str(field.source)] = taken


def _computed(child: Any, shown: list[Any]) -> dict[str, set[str | None]]:
    """Returns what stands in the read-only fields of the rows."""
    names = [name for name, field in child.fields.items() if field.read_only]
    return {name: {_spelled(row[name]) for row in shown} for name in names}


def _without(row: Any, computed: Mapping[str, set[str | None]]) -> Any:
    """Returns the row without what was computed of it, or of another row of this record, when it was read."""
    if not isinstance(row, dict):
        return row
    return {name: value for name, value in row.items() if _spelled(value) not in computed.get(name, ())}


def _spelled(value: Any) -> str | None:
    """Returns one spelling of equal JSON, in which `1` is `1.0`: rows are found by it, without comparing each with all.
    None for what has more than one level, which no row has."""
    parts = value if isinstance(value, Mapping) else {"": value}
    if any(isinstance(each, (Mapping, list, tuple)) for each in parts.values()):
        return None
    plain = {name: int(each) if isinstance(each, float) and each.is_integer() else each for name, each in parts.items()}
    return json.dumps(plain, sort_keys=True, default=str)


def _as_it_stands(child: Any, row: Any) -> dict[str, Any]:
    return {field.source: _part(row, field.source) for field in child.fields.values() if not field.read_only}


def _part(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _fill_in(fields: Mapping[str, Any], sent: Mapping[str, Any], values: dict[str, Any], wrong: dict[str, Any]) -> None:
    """Gives what was left out its default, or says that it is required."""
    for name, field in fields.items():
        if field.read_only or name in sent:
            continue
        try:
            values[field.source] = field.run_validation(empty)
        except SkipField:
            pass
        except serializers.ValidationError as exc:
            wrong[name] = exc.detail
