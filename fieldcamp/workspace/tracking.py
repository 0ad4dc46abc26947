"""Records whose every change is written down: through `save()`, `delete()` and the query set's bulk methods alike.

A subclass of `TrackedModel` names its `kind` and its `tracked` fields. Whoever wants to know of changes registers a
consumer in `AppConfig.ready()`; it is called with the new `Change` rows inside the same transaction, so that what it
writes stands or falls with the record itself. Who shows records to others is told of them as `telling` has it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from fieldcamp.workspace import listing
from fieldcamp.workspace.attribution import Attribution, attributed, current_actor, who
from fieldcamp.workspace.models.change import Change
from fieldcamp.workspace.telling import Moved, tell

__all__ = [
    "Attribution",
    "TrackedModel",
    "TrackedQuerySet",
    "attributed",
    "current_actor",
    "list_indexes",
    "number_lists",
    "plain",
    "register_consumer",
]


_consumers: list[Callable[[Sequence[Change]], None]] = []

# SQLite takes 32,766 parameters a statement.
_AT_ONCE = 10_000


def register_consumer(consumer: Callable[[Sequence[Change]], None]) -> None:
    if consumer not in _consumers:
        _consumers.append(consumer)


def number_lists() -> None:
    """Numbers all lists that are followed, as far as something has changed."""
    for model in apps.get_models():
        if issubclass(model, TrackedModel):
            listing.list_all(model)


def plain(value: Any) -> Any:
    """Returns the value as the change log keeps it: JSON, instants in UTC."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, dict, list, type(None))) else str(value)


def _change(model: type["TrackedModel"], before: Mapping[str, Any], after: Mapping[str, Any]) -> Change | None:
    """Returns the row of the log for what one record was (nothing: it is new) and is now (nothing: it is gone)."""
    old, new = ({name: row[name] for name in model.tracked} if row else {} for row in (before, after))
    if before and after:
        changed = [name for name in model.tracked if old[name] != new[name]]
        if not changed:
            return None
        old, new = ({name: row[name] for name in changed} for row in (old, new))
    removed = not after or new.get("deleted_at")
    row, by = after or before, who()
    return Change(
        workspace_id=row["workspace_id"],
        kind=model.kind,
        record_id=row["pk"],
        version=row["version"] + (not after),
        action=Change.Action.DELETED if removed else Change.Action.UPDATED if before else Change.Action.CREATED,
        before={name: plain(value) for name, value in old.items()},
        after={name: plain(value) for name, value in new.items()},
        origin=by.origin,
        actor=by.actor[:200],
        source=source_of(by),
        integration=by.integration,
        job=by.job,
    )


def source_of(by: Attribution) -> str:
    """Returns by what way a change comes in."""
    if by.origin or by.job:
        return Change.Source.SYNC
    return by.source or Change.Source.SYSTEM


def _moved(model: type["TrackedModel"], before: Mapping[str, Any], after: Mapping[str, Any]) -> Moved | None:
    """Returns the same of all that others see of the record, also where the log has no row for it."""
    seen = (*model.tracked, *model.told)
    old = {name: before[name] for name in seen if not after or before[name] != after[name]} if before else {}
    if before and after and not old:
        return None
    row = after or before
    return Moved(model, row["workspace_id"], row["pk"], old, not before, who())


def _record(changes: Sequence[Change | None], moves: Sequence[Moved | None]) -> None:
    """Writes the log and tells the consumers."""
    if rows := [change for change in changes if change]:
        Change.objects.bulk_create(rows, batch_size=500)
        for consumer in _consumers:
            consumer(rows)
    tell([moved for moved in moves if moved])


def _portions(keys: list[str]) -> Iterator[list[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def list_indexes(name: str) -> list[models.Index]:
    """Returns the indexes by which a list is read on from a number, and from a time."""
    return [
        models.Index(fields=["workspace", "list_number"], name=f"{name}_listed"),
        models.Index(fields=["workspace", "listed_at", "list_number"], name=f"{name}_listed_at"),
    ]


class TrackedQuerySet(models.QuerySet):
    """Writes in bulk leave the same trace as writes one by one."""

    model: type["TrackedModel"]  # type: ignore[assignment]

    def alive(self) -> Self:
        return self.filter(deleted_at=None)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Returns what the change log compares, by primary key."""
        names = ("pk", "workspace_id", "version", "list_number", *self.model.tracked, *self.model.told)
        return {row["pk"]: row for row in self.values(*names)}

    def update(self, **kwargs: Any) -> int:
        """Django's update; each row of which it really changes a tracked field moves on by one version."""
        kwargs.setdefault("updated_at", timezone.now())
        kwargs["listed_at"] = None
        seen = (*self.model.tracked, *self.model.told)
        if not set(kwargs) & {*seen, *(name.removesuffix("_id") for name in seen)}:
            return super().update(**kwargs)
        changes: list[Change] = []
        moves: list[Moved | None] = []
        with transaction.atomic(using=self.db):
            # Locked by this very query, so that its conditions still hold when it writes; and in one order, so that
            # two of them do not wait for each other.
            before = self.order_by("pk").select_for_update(of=("self",)).snapshot()
            for keys in _portions(list(before)):
                rows = self._only(keys)
                models.QuerySet.update(rows, **kwargs)
                after = rows.snapshot()
                found = {key: change for key in keys if (change := _change(self.model, before[key], after[key]))}
                models.QuerySet.update(self._only(list(found)), version=models.F("version") + 1)
                for change in found.values():
                    change.version += 1
                changes += found.values()
                moves += [_moved(self.model, before[key], after[key]) for key in keys]
            _record(changes, moves)
        return len(before)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs, *args: Any, **kwargs: Any):
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError("Tracked records cannot be created over conflicts: which were created would be unknown.")
        objs = list(objs)  # a generator would be spent by the loop
        for obj in objs:
            obj.list_number = obj.listed_at = None
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            rows = [obj.as_created() for obj in created]  # type: ignore[attr-defined]
            _record([_change(self.model, {}, row) for row in rows], [_moved(self.model, {}, row) for row in rows])
        return created

    def delete(self):
        total = 0
        by_model: Counter[str] = Counter()
        with transaction.atomic(using=self.db):
            before = self.order_by("pk").select_for_update(of=("self",)).snapshot()
            for keys in _portions(list(before)):
                count, deleted = models.QuerySet.delete(self._only(keys))
                total += count
                by_model.update(deleted)
            rows = before.values()
            _record([_change(self.model, row, {}) for row in rows], [_moved(self.model, row, {}) for row in rows])
        return total, dict(by_model)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _only(self, keys: list[str]) -> "TrackedQuerySet":
        return TrackedQuerySet(self.model, using=self.db).filter(pk__in=keys)


class TrackedModel(models.Model):
    """A workspace record with a version that each change of a tracked field moves on by one.

    `told` are fields that others see and that follow from what is tracked, or are nobody's at the other side: a change
    of them alone is told (`telling`), and is no version.
    """

    kind: ClassVar[str]
    tracked: ClassVar[tuple[str, ...]]
    told: ClassVar[tuple[str, ...]] = ()
    # What of other tables a save has replaced, as it was: rows by the name of their relation.
    replaced: Mapping[str, Sequence[models.Model]] = {}

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Its place in its list, and since when it stands there; no time: it has changed meanwhile (`listing`).
    list_number = models.BigIntegerField(null=True, editable=False)
    listed_at = models.DateTimeField(null=True, editable=False)
    # Since when it has no word of a person any more (`workspace.erasing`); it is deleted as well, or a document.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True
        # What Django does by itself (SET_NULL when a member is deleted) goes through here: it is to be tracked too.
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            stored: TrackedQuerySet = TrackedQuerySet(type(self)).filter(pk=self.pk)
            old = None if self._state.adding else stored.select_for_update().snapshot().get(self.pk)
            self.list_number, self.listed_at = old["list_number"] if old else None, None
            if old is None:
                super().save(*args, **kwargs)
            else:
                self._move_on(old, kwargs)
                super().save(*args, **kwargs)
            new = stored.snapshot()[self.pk] if old else self.as_created()
            change = _change(type(self), old or {}, new)
            if old and self.version != old["version"] + bool(change):
                # An expression that came to the value that was there already.
                self.version = old["version"]
                models.QuerySet.update(stored, version=self.version)
            moved = _moved(type(self), old or {}, new)
            if moved and self.replaced:
                moved.before.update(self.replaced)
            _record([change], [moved])

    @classmethod
    def shown_day(cls, workspace: Any) -> dt.date | None:
        """Returns the company's day, where a record is shown by it; else None."""
        return None

    @classmethod
    def turned_by_day(cls, before: dt.date, today: dt.date) -> models.Q:
        """Returns which records are shown otherwise on one of these days than on the other, though nobody has changed
        them."""
        raise NotImplementedError

    def as_created(self) -> dict[str, Any]:
        """Returns the snapshot of a record just inserted; read back only if the database computed a part of it."""
        names = ("pk", "workspace_id", "version", *self.tracked, *self.told)
        values = {name: getattr(self, name) for name in names}
        if any(hasattr(value, "resolve_expression") for value in values.values()):
            return TrackedQuerySet(type(self)).filter(pk=self.pk).snapshot()[self.pk]
        return values

    def _move_on(self, old: Mapping[str, Any], kwargs: dict[str, Any]) -> None:
        """Moves version and time on, as far as its fields differ from what is stored."""
        saved = set(self.tracked) - self.get_deferred_fields()
        if kwargs.get("update_fields") is not None:
            given = set(kwargs["update_fields"])
            saved &= {*given, *(f"{name}_id" for name in given)}
            kwargs["update_fields"] = given | {"version", "updated_at", "listed_at"}
        self.version = old["version"] + any(old[name] != getattr(self, name) for name in saved)
        self.updated_at = timezone.now()

    def delete(self, *args: Any, **kwargs: Any):
        with transaction.atomic():
            before = TrackedQuerySet(type(self)).filter(pk=self.pk).select_for_update().snapshot()
            result = super().delete(*args, **kwargs)
            rows = before.values()
            _record([_change(type(self), row, {}) for row in rows], [_moved(type(self), row, {}) for row in rows])
        return result
