"""Records whose every change is written down: through `save()`, `delete()` and the query set's bulk methods alike.

A subclass of `TrackedModel` names its `kind` and its `tracked` fields. Whoever wants to know of changes registers a
consumer in `AppConfig.ready()`; it is called with the new `Change` rows inside the same transaction, so that what it
writes stands or falls with the record itself.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.utils import timezone

from fieldcamp.workspace.models.change import Change


@dataclass(frozen=True)
class Attribution:
    """Who is making changes now, and, for a pull, from which stream."""

    actor: str = ""
    origin: str = ""


_attribution: ContextVar[Attribution | None] = ContextVar("attribution", default=None)
_consumers: list[Callable[[Sequence[Change]], None]] = []

# SQLite takes 32,766 parameters a statement.
_AT_ONCE = 10_000


def _who() -> Attribution:
    return _attribution.get() or Attribution()


def current_actor() -> str:
    """Returns who is making changes now; "" if nobody has said."""
    return _who().actor


_BY_KEY = "API key "


def by_key(name: str) -> str:
    """Returns how the change log names an API key."""
    return f"{_BY_KEY}{name}"


def is_by_key(actor: str) -> bool:
    return actor.startswith(_BY_KEY)


@contextlib.contextmanager
def attributed(actor: str | None = None, origin: str | None = None) -> Iterator[None]:
    """Writes all changes made inside down as made by `actor` and coming from `origin`.

    What is not given stays as an enclosing `attributed` has it.
    """
    outer = _who()
    token = _attribution.set(
        Attribution(outer.actor if actor is None else actor, outer.origin if origin is None else origin)
    )
    try:
        yield
    finally:
        _attribution.reset(token)


def register_consumer(consumer: Callable[[Sequence[Change]], None]) -> None:
    if consumer not in _consumers:
        _consumers.append(consumer)


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
    row, who = after or before, _who()
    return Change(
        workspace_id=row["workspace_id"],
        kind=model.kind,
        record_id=row["pk"],
        version=row["version"] + (not after),
        action=Change.Action.DELETED if removed else Change.Action.UPDATED if before else Change.Action.CREATED,
        before={name: plain(value) for name, value in old.items()},
        after={name: plain(value) for name, value in new.items()},
        origin=who.origin,
        actor=who.actor[:200],
    )


def _record(changes: Sequence[Change]) -> None:
    """Writes the log and tells the consumers."""
    if changes:
        Change.objects.bulk_create(changes, batch_size=500)
        for consumer in _consumers:
            consumer(changes)


def _portions(keys: list[str]) -> Iterator[list[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


class TrackedQuerySet(models.QuerySet):
    """Writes in bulk leave the same trace as writes one by one."""

    model: type["TrackedModel"]  # type: ignore[assignment]

    def alive(self) -> Self:
        return self.filter(deleted_at=None)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Returns what the change log compares, by primary key."""
        return {row["pk"]: row for row in self.values("pk", "workspace_id", "version", *self.model.tracked)}

    def update(self, **kwargs: Any) -> int:
        """Django's update; each row of which it really changes a tracked field moves on by one version."""
        kwargs.setdefault("updated_at", timezone.now())
        tracked = self.model.tracked
        if not set(kwargs) & {*tracked, *(name.removesuffix("_id") for name in tracked)}:
            return super().update(**kwargs)
        changes: list[Change] = []
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
            _record(changes)
        return len(before)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs, *args: Any, **kwargs: Any):
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError("Tracked records cannot be created over conflicts: which were created would be unknown.")
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            _record([change for obj in created if (change := _change(self.model, {}, obj.as_created()))])  # type: ignore[attr-defined]
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
            _record([change for row in before.values() if (change := _change(self.model, row, {}))])
        return total, dict(by_model)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _only(self, keys: list[str]) -> "TrackedQuerySet":
        return TrackedQuerySet(self.model, using=self.db).filter(pk__in=keys)


class TrackedModel(models.Model):
    """A workspace record with a version that each change of a tracked field moves on by one."""

    kind: ClassVar[str]
    tracked: ClassVar[tuple[str, ...]]

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
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
            if change:
                _record([change])

    def as_created(self) -> dict[str, Any]:
        """Returns the snapshot of a record just inserted; read back only if the database computed a part of it."""
        names = ("pk", "workspace_id", "version", *self.tracked)
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
            kwargs["update_fields"] = given | {"version", "updated_at"}
        self.version = old["version"] + any(old[name] != getattr(self, name) for name in saved)
        self.updated_at = timezone.now()

    def delete(self, *args: Any, **kwargs: Any):
        with transaction.atomic():
            before = TrackedQuerySet(type(self)).filter(pk=self.pk).select_for_update().snapshot()
            result = super().delete(*args, **kwargs)
            _record([change for row in before.values() if (change := _change(type(self), row, {}))])
        return result
