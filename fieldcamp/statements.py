"""Statements composed once: for a handful of columns, Django takes ten times as long to write an INSERT as SQLite to
run it. Only for what every call of the API does; everything else is the ORM's."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Model


class Insert:
    """INSERTs of single rows of a model. `columns` are given each time, all others have their field's default.

    The model's own hooks (`save`, signals, validation) are not called.
    """

    def __init__(self, model: type[Model], columns: Sequence[str], *, first_on_postgresql: str = ""):
        """Composes the statement. `first_on_postgresql` is a call that it makes before it inserts: it saves a round
        trip."""
        by_name = {field.attname: field for field in model._meta.concrete_fields if not _is_made_by_database(field)}
        self.table = model._meta.db_table
        self.given = [by_name.pop(name) for name in columns]
        self.rest = list(by_name.values())
        self.first = first_on_postgresql
        if made := [field.name for field in self.rest if _varies(field)]:
            raise TypeError(f"{', '.join(made)}: their defaults differ from row to row, so they have to be given.")

    @cached_property
    def _sql(self) -> str:
        names = ", ".join(connection.ops.quote_name(str(field.column)) for field in [*self.given, *self.rest])
        marks = ", ".join(["%s"] * (len(self.given) + len(self.rest)))
        if self.first and connection.vendor == "postgresql":
            row = f"SELECT {marks} FROM (SELECT {self.first}) AS first"  # noqa: S608
        else:
            row = f"VALUES ({marks})"
        return f"INSERT INTO {self.table} ({names}) {row} ON CONFLICT DO NOTHING"

    @cached_property
    def _defaults(self) -> list[Any]:
        return [field.get_db_prep_save(field.get_default(), connection) for field in self.rest]

    def __call__(self, *values: Any) -> bool:
        """Returns whether the row is there now; False where a unique constraint is in the way, which ends no
        transaction."""
        prepared = [field.get_db_prep_save(value, connection) for field, value in zip(self.given, values, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, prepared + self._defaults)
            return bool(cursor.rowcount)


def _is_made_by_database(field: Any) -> bool:
    return bool(field.primary_key and field.get_internal_type().endswith("AutoField"))


def _varies(field: Any) -> bool:
    return field.has_default() and callable(field.default) and field.default not in (dict, list)
