"""Records whose every change is written down: through `save()`, `delete()` and the query set's bulk methods alike.

A subclass of `TrackedModel` names its `kind` and its `tracked` fields. Whoever wants to know of changes registers a
consumer in `AppConfig.ready()`; it is called with the new `Change` rows inside the same transaction, so that what it
writes stands or falls with the record itself.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils import timezone

from fieldcamp.workspace.models.change import Change


@dataclass(frozen=True)
class Attribution:
    """Who is making changes now, and, for a pull, from which stream."""

    actor: str = ""
    origin: str = ""


_attribution: ContextVar[Attribution] = ContextVar("attribution", default=Attribution())
_consumers: list[Callable[[Sequence[Change]], None]] = []


@contextlib.contextmanager
def attributed(actor: str = "", origin: str = "") -> Iterator[None]:
    """All changes made inside are written down as made by `actor` and coming from `origin`."""
    token = _attribution.set(Attribution(actor, origin))
    try:
        yield
    finally:
        _attribution.reset(token)


def register_consumer(consumer: Callable[[Sequence[Change]], None]) -> None:
    if consumer not in _consumers:
        _consumers.append(consumer)


def _plain(value: Any) -> Any:
    """The value as the change log keeps it: JSON, instants in UTC."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, (str, int, bool, dict, list, type(None))) else str(value)


def _record(rows: Iterable[tuple[type["TrackedModel"], str, str, int, str, dict, dict]]) -> None:
    who = _attribution.get()
    changes = [
        Change(
            workspace_id=workspace_id,
            kind=model.kind,
            record_id=record_id,
            version=version,
            action=action,
            before={name: _plain(value) for name, value in before.items()},
            after={name: _plain(value) for name, value in after.items()},
            origin=who.origin,
            actor=who.actor,
        )
        for model, workspace_id, record_id, version, action, before, after in rows
    ]
    if changes:
        Change.objects.bulk_create(changes, batch_size=500)
        for consumer in _consumers:
            consumer(changes)


class TrackedQuerySet(models.QuerySet):
    """Writes in bulk leave the same trace as writes one by one."""

    def alive(self):
        return self.filter(deleted_at=None)

    def update(self, **kwargs: Any) -> int:
        tracked = self.model.tracked
        if not set(kwargs) & {*tracked, *(name.removesuffix("_id") for name in tracked)}:
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            before = {row["pk"]: row for row in self.select_for_update().values("pk", "workspace_id", *tracked)}
            rows = self.model._base_manager.using(self.db).filter(pk__in=before)
            untracked = models.QuerySet(self.model, using=self.db).filter(pk__in=before)
            kwargs.setdefault("updated_at", timezone.now())
            count = untracked.update(version=models.F("version") + 1, **kwargs)
            _record(_differences(self.model, before, rows.values("pk", "workspace_id", "version", *tracked)))
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs, *args: Any, **kwargs: Any):
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError("Tracked records cannot be created over conflicts: which were created would be unknown.")
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            _record(obj.creation() for obj in created)
        return created

    def delete(self):
        with transaction.atomic(using=self.db):
            gone = list(self.select_for_update())
            result = super().delete()
            _record(obj.removal() for obj in gone)
        return result

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


def _differences(model, before: dict[str, dict], after: Iterable[dict]):
    for row in after:
        old = before[row["pk"]]
        changed = [name for name in model.tracked if old[name] != row[name]]
        if changed:
            action = Change.Action.DELETED if "deleted_at" in changed and row["deleted_at"] else Change.Action.UPDATED
            yield (
                model,
                row["workspace_id"],
                row["pk"],
                row["version"],
                action,
                {name: old[name] for name in changed},
                {name: row[name] for name in changed},
            )


class TrackedModel(models.Model):
    """A workspace record with a version that each change of a tracked field moves on by one."""

    kind: ClassVar[str]
    tracked: ClassVar[tuple[str, ...]]

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.tracked}

    def creation(self):
        return type(self), self.workspace_id, self.pk, self.version, Change.Action.CREATED, {}, self.values()  # type: ignore[attr-defined]

    def removal(self):
        return type(self), self.workspace_id, self.pk, self.version + 1, Change.Action.DELETED, self.values(), {}  # type: ignore[attr-defined]

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            stored = type(self)._base_manager.select_for_update().filter(pk=self.pk)
            old = None if self._state.adding else stored.values("pk", "workspace_id", "version", *self.tracked).first()
            if old is None:
                super().save(*args, **kwargs)
                _record([self.creation()])
                return
            self.updated_at = timezone.now()
            if any(old[name] != value for name, value in self.values().items()):
                self.version = old["version"] + 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version", "updated_at"}
            super().save(*args, **kwargs)
            _record(_differences(type(self), {self.pk: old}, stored.values("pk", "workspace_id", "version", *self.tracked)))

    def delete(self, *args: Any, **kwargs: Any):
        with transaction.atomic(using=kwargs.get("using")):
            removal = self.removal()
            result = super().delete(*args, **kwargs)
            _record([removal])
        return result
