"""What the database refuses because another record is there already, or is there no more, in words about fields.

Services look beforehand and hold locks; what still comes to this is a race that was lost, or a rule that only the
database keeps.
"""

import re
from collections.abc import Iterable

from django.apps import apps
from django.db import IntegrityError
from django.db.models import Field, Model, UniqueConstraint

from fieldcamp.workspace.errors import InvalidFields, InvalidTransition

# SQLite: "UNIQUE constraint failed: workspace_invoice.workspace_id, workspace_invoice.number".
_COLUMNS = re.compile(r"UNIQUE constraint failed: (?P<columns>\w+\.\w+(?:, \w+\.\w+)*)$")
# PostgreSQL: "Key (workspace_id, number)=(wsp_…, 77) already exists."
_KEY = re.compile(r"Key \((?P<columns>[^)]*)\)=")
_UNIQUE, _REFERENCE = "23505", "23503"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def as_refusal(error: IntegrityError) -> InvalidFields | InvalidTransition | None:
    """Returns what a person is told of the error; None for one that no input can have caused."""
    diagnosis = getattr(error.__cause__, "diag", None)
    state, text = getattr(error.__cause__, "sqlstate", ""), str(error.__cause__ or error)
    if state == _REFERENCE or text.startswith("FOREIGN KEY constraint failed"):
        return InvalidTransition(
            "A record that this one refers to was removed at the same moment. Read it again, and repeat the change."
        )
    names: Iterable[str] = ()
    if state == _UNIQUE and diagnosis:
        found = _KEY.match(diagnosis.message_detail or "")
        columns = re.findall(r"\w+", found["columns"]) if found else []
        names = _names(diagnosis.table_name or "", columns) or _of_constraint(diagnosis.constraint_name or "")
    elif found := _COLUMNS.match(text):
        pairs = [column.split(".") for column in found["columns"].split(", ")]
        names = _names(pairs[0][0], [column for _table, column in pairs])
    sentence = "Another record has this already. Choose another one, or read that record and change it."
    return InvalidFields({name: [sentence] for name in names}) if names else None


def _names(table: str, columns: Iterable[str]) -> list[str]:
    """Returns the fields of the columns, without the company and the keys of the row itself."""
    for model in apps.get_models():
        if model._meta.db_table == table:
            fields = {field.column: field for field in model._meta.concrete_fields}
            return _told(fields[column] for column in columns if column in fields)
    return []


def _of_constraint(name: str) -> list[str]:
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.name == name:
                return _told(_field(model, each) for each in constraint.fields)
    return []


def _field(model: type[Model], name: str) -> "Field[object, object]":
    return model._meta.get_field(name)  # type: ignore[return-value]


def _told(fields: Iterable["Field[object, object]"]) -> list[str]:
    return [field.attname for field in fields if field.name != "workspace" and not field.primary_key]
