"""Keys that were made by keys: which ones a key comes from, and which ones come from it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from fieldcamp.api.models import ApiKey
from fieldcamp.workspace.models import Workspace

_TABLE = ApiKey._meta.db_table
# In one query, since every call with such a key asks: SQLite and PostgreSQL both take this.
_MAKERS = f"""
WITH RECURSIVE line(id, made_by_id, step) AS (
    SELECT id, made_by_id, 1 FROM {_TABLE} WHERE id = %s
    UNION ALL SELECT k.id, k.made_by_id, step + 1 FROM {_TABLE} k JOIN line ON k.id = line.made_by_id
)
SELECT k.* FROM line JOIN {_TABLE} k ON k.id = line.id ORDER BY line.step
"""  # noqa: S608


def makers(key: ApiKey) -> list[ApiKey]:
    """Returns the keys that this one comes from, its maker first; none for a key that a person has made."""
    return list(ApiKey.objects.raw(_MAKERS, [key.made_by_id])) if key.made_by_id else []


def made(key: ApiKey) -> list[ApiKey]:
    """Returns the keys that come from this one and are not revoked, directly or through others, each after its
    maker."""
    found: list[ApiKey] = []
    line = [key.pk]
    while line:
        children = list(ApiKey.objects.filter(made_by__in=line, revoked_at=None).order_by("pk"))
        found += children
        line = [child.pk for child in children]
    return found


@contextmanager
def turn(workspace_id: str) -> Iterator[None]:
    """Opens a transaction in which nobody else does anything to the company's keys: what was judged holds until it is
    written."""
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        yield
