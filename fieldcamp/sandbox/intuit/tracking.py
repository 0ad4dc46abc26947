"""Classes and departments (QuickBooks' pages say locations): what sales are told apart by.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/class
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/department
"""

from fieldcamp.sandbox.intuit import engine, errors
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, Names, Property, texts
from fieldcamp.sandbox.intuit.shape import NAME_STOPPERS, flag, ref, text
from fieldcamp.sandbox.intuit.store import Stored

LEVELS = 5  # of names in a qualified name


def _prepare(entity: str, below: str, books: Books, draft: Body, old: Stored | None) -> None:
    level, above = 1, draft.get("ParentRef", {}).get("value")
    while above:
        level += 1
        if level > LEVELS or (old is not None and above == old.id):
            raise errors.business(f"A {entity.lower()} cannot be more than {LEVELS} levels deep.", "ParentRef")
        above = books.the(entity, above).body.get("ParentRef", {}).get("value")
    draft[below] = level > 1
    draft.setdefault("Active", True)


def _tracked(entity: str, below: str) -> Entity:
    return Entity(
        name=entity,
        segment=entity.lower(),
        required=("Name",),
        names=Names("Name", entity, entity.lower(), per_parent=True, qualified=True),
        fields={"Name": text(100, NAME_STOPPERS), "ParentRef": ref(entity), "Active": flag()},
        ignored=frozenset({"FullyQualifiedName", below}),
        filterable={**texts("Name", "FullyQualifiedName"), "Active": Property("$.Active", "flag")},
        order="json_extract(body, '$.FullyQualifiedName') COLLATE NOCASE, n",
        prepare=lambda books, draft, old, sent: _prepare(entity, below, books, draft, old),
        settle=engine.requalify_children,
    )


CLASS = _tracked("Class", "SubClass")
DEPARTMENT = _tracked("Department", "SubDepartment")
