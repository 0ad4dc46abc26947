"""Lists that others follow: pages in the order of the last change, a cursor to read on from later, and tombstones."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from fieldcamp.api.errors import ApiError
from fieldcamp.api.pagination import (
    decode_cursor,
    encode_cursor,
    instant_parameter,
    list_name,
    page_limit,
    truth_parameter,
)
from fieldcamp.api.serializers import InstantField
from fieldcamp.workspace.listing import TOMBSTONES_KEPT, number_at, standing
from fieldcamp.workspace.models import Workspace
from fieldcamp.workspace.tracking import TrackedModel

_ORDER = "order of the last change"  # what a cursor's position is in; others were given before
_EDGE = dt.timedelta(hours=1)  # so that who starts again where they are told to does not miss it once more


class RecordPageMetaSerializer(serializers.Serializer):
    request_id = serializers.CharField(help_text="Tell support this id.")
    next_cursor = serializers.CharField(allow_null=True, help_text="Send it as `cursor`; null: the last page.")
    resume_cursor = serializers.CharField(
        help_text="Send it as `cursor` the next time: what has changed since this page follows, also after the last."
    )
    has_more = serializers.BooleanField(help_text="Whether there is a next page now.")
    limit = serializers.IntegerField()


@extend_schema_serializer(component_name="DeletedRecord")
class TombstoneSerializer(serializers.Serializer):
    """A record that was deleted, with `includeDeleted=true`."""

    id = serializers.CharField()
    deleted = serializers.BooleanField(help_text="Always true; other rows lack it.")
    deletedAt = InstantField(source="deleted_at")
    updatedAt = InstantField(source="updated_at")


@dataclass(frozen=True)
class ListPosition:
    """Where a reader is: behind the record with this number and, of those that have none yet, behind `unnumbered`."""

    number: int = 0
    unnumbered: str = ""


@dataclass(frozen=True)
class RecordPage:
    """Some records, where to go on now (`next`, None: there is nothing more) and later (`resume`)."""

    records: Sequence[TrackedModel]
    next: ListPosition | None
    resume: ListPosition


class RecordList:
    """The list of one workspace's records. `living` are those of it that pass its filters; with `tombstones` those that
    were deleted are in it, too, whatever the filters."""

    def __init__(self, workspace: Workspace, living: QuerySet[Any], *, tombstones: bool):
        model: type[TrackedModel] = living.model
        # Before any record is read: what is numbered later is still to come.
        self.standing = standing(model, workspace)
        self.all: QuerySet[Any] = model.objects.filter(workspace=workspace)
        dead = self.all.filter(deleted_at__gte=timezone.now() - TOMBSTONES_KEPT)
        # Read by one query, which leaves out nothing that is numbered up to what it shows. The company stands outside
        # of the OR too: the index is found by it.
        self.shown = (living | dead).filter(workspace=workspace) if tombstones else living

    def start(self, since: dt.datetime | None) -> ListPosition:
        """Returns the place before everything that was changed at or after that time."""
        if since is None:
            return ListPosition()
        first = number_at(self.all, since)
        return ListPosition(self.standing.last if first is None else first - 1)

    def page(self, after: ListPosition, limit: int, *, since: dt.datetime | None = None) -> RecordPage:
        """Returns the next `limit` records. A page costs the same wherever in the list it stands."""
        found = list(self.shown.filter(list_number__gt=after.number).order_by("list_number")[: limit + 1])
        if len(found) > limit:
            position = ListPosition(found[limit - 1].list_number or 0)
            return RecordPage(found[:limit], next=position, resume=position)
        end = ListPosition(max([self.standing.last, after.number, *(row.list_number or 0 for row in found)]))
        if self.standing.complete or (since and since > timezone.now()):
            return RecordPage(found, next=None, resume=end)
        # The database was too busy to number everything: what could not be is shown all the same, and once more with
        # its number.
        room = limit - len(found)
        passed = Q(list_number=None) | Q(list_number__lte=after.number)
        waiting = self.shown.filter(passed, listed_at=None, pk__gt=after.unnumbered)
        rest = list(waiting.order_by("pk")[: room + 1])
        if len(rest) <= room:
            return RecordPage([*found, *rest], next=None, resume=end)
        shown = rest[:room]
        return RecordPage(
            [*found, *shown], next=replace(end, unnumbered=shown[-1].pk if shown else after.unnumbered), resume=end
        )


def record_page(
    request: Request, workspace: Workspace, rows: QuerySet[Any], filters: Mapping[str, Any]
) -> tuple[Sequence[TrackedModel], dict[str, Any]]:
    """Returns one page of the records `rows`, and the `meta` that goes with it. A cursor belongs to the list
    with its filters and with or without tombstones; `since` may be given beside it or not."""
    limit, since = page_limit(request), instant_parameter(request, "since")
    tombstones = truth_parameter(request, "includeDeleted") or False
    name = list_name(request.path, workspace.pk, {**filters, "includeDeleted": tombstones, "order": _ORDER})
    cursor, now = request.query_params.get("cursor"), timezone.now()
    number, unnumbered, given = decode_cursor(name, cursor) if cursor is not None else (0, "", int(now.timestamp()))
    if tombstones:
        _check_age(min(since or now, dt.datetime.fromtimestamp(given, dt.UTC)), now)
    place = ListPosition(number, unnumbered)
    records = RecordList(workspace, rows, tombstones=tombstones)
    start = records.start(since)
    page = records.page(place if place.number >= start.number else start, limit, since=since)

    def encoded(position: ListPosition) -> str:
        return encode_cursor(name, [position.number, position.unnumbered, int(now.timestamp())])

    return page.records, {
        "next_cursor": encoded(page.next) if page.next else None,
        "resume_cursor": encoded(page.resume),
        "has_more": page.next is not None,
        "limit": limit,
    }


def tombstone(record: TrackedModel) -> dict[str, Any]:
    """Returns what a list shows of a record that was deleted."""
    moment = InstantField().to_representation
    assert record.deleted_at is not None
    times = {"deletedAt": moment(record.deleted_at), "updatedAt": moment(record.updated_at)}
    return {"id": record.pk, "deleted": True, **times}


def _check_age(begun: dt.datetime, now: dt.datetime) -> None:
    """Refuses what begins before the tombstones that are kept."""
    if begun < now - TOMBSTONES_KEPT:
        moment = InstantField().to_representation(now - TOMBSTONES_KEPT + _EDGE)
        raise ApiError(
            "CURSOR_EXPIRED",
            f"What was deleted is told for {TOMBSTONES_KEPT.days} days, and what you ask for begins before. Read the "
            "list anew without a cursor and drop what is not in it any more.",
            details={"resync_from": moment},
        )
