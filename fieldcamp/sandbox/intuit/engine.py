"""Create, read, update, delete and void for every type of object, by the rules that all of them share.

https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features
"""

import copy
import re
from typing import Any

from fieldcamp.sandbox.intuit import errors, given, places, times
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import CREATED, FOUND, READ, UNIVERSAL, UPDATED, Body, Entity
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import clean
from fieldcamp.sandbox.intuit.store import Stored

USER = "Olivia Hart"
DELETED = " (deleted)"


def write(books: Books, entity: Entity, sent: Any, include: tuple[str, ...] = ()) -> Body:
    """A create, or with an Id an update; the object as it is answered."""
    if not isinstance(sent, dict):
        raise errors.unreadable("The body must be a JSON object.")
    with books.store.state.transaction():
        if sent.get("Id") in (None, ""):
            return shown(books, _create(books, entity, sent), CREATED, include)
        return shown(books, _update(books, entity, sent), UPDATED, include)


def delete(books: Books, entity: Entity, sent: Any) -> Body:
    """Deletes a transaction for good; what remains is a tombstone."""
    with books.store.state.transaction():
        if "delete" not in entity.operations:
            raise errors.unsupported("delete")
        old = _target(books, entity, sent)
        entity.before_delete(books, old)
        books.delete(old)
        entity.settle(books, None, old)
    return {"domain": "QBO", "status": "Deleted", "Id": old.id}


def void(books: Books, entity: Entity, sent: Any) -> Body:
    """Voids a transaction: it stays, worth nothing."""
    with books.store.state.transaction():
        if entity.void is None:
            raise errors.unsupported("void")
        old = _target(books, entity, sent)
        draft = {name: value for name, value in copy.deepcopy(old.body).items() if name != given.RAW}
        entity.void(books, draft, old)
        if draft == old.body:
            return shown(books, old, UPDATED)
        new = books.change(old, draft)
        books.store.note(new, "void")
        entity.settle(books, new, old)
        return shown(books, books.the(entity.name, new.id), UPDATED)


def read(books: Books, entity: Entity, object_id: str, include: tuple[str, ...] = ()) -> Body:
    """The object of that id."""
    if entity.single:
        return shown(books, books.the(entity.name), READ)
    stored = books.get(entity.name, _id(object_id))
    if stored is None:
        raise errors.not_found(entity.is_list)
    return shown(books, stored, READ, include)


def shown(books: Books, stored: Stored, answer: str = FOUND, include: tuple[str, ...] = ()) -> Body:
    """The object as that kind of answer carries it. Properties without a value are not there at all."""
    entity, zone = books.entities[stored.type], books.company.zone
    result: Body = {
        **copy.deepcopy(stored.body),
        "domain": "QBO",
        "sparse": False,
        "Id": stored.id,
        "SyncToken": str(stored.token),
        "MetaData": {
            "CreateTime": times.stamp(stored.created, zone),
            "LastUpdatedTime": times.stamp(stored.updated, zone),
        },
    }
    as_given = result.pop(given.RAW, None) is not None
    for name, types in entity.refs.items():
        if name in result:
            result[name] = books.with_name(result[name], *types)
    entity.respond(books, result, stored)
    if as_given:
        result = given.shown(stored.body, result)
    for name, add in entity.includes.items():
        if name in include:
            add(books, result, stored)
    if as_given:
        return result
    for name in places.PROPERTIES:
        if name in result and places.KNOWN not in entity.omitted.get(answer, ()):
            result[name] = places.located(result[name])
    left_out = entity.omitted.get(answer, frozenset())
    return {name: value for name, value in result.items() if name not in left_out}


def rename(books: Books, entity: Entity, draft: Body, old: Stored | None) -> None:
    """Applies the name rules to a draft: uniqueness, " (deleted)" when it is made inactive, the qualified name."""
    names = entity.names
    if names is None:
        return
    own = old.id if old else None
    if old is not None and old.active and draft.get("Active") is False:
        draft[names.field] = _free_name(books, entity, draft, own)
    elif _taken(books, entity, draft, own):
        raise errors.duplicate_name(names.whose)
    if names.qualified:
        parent = draft.get("ParentRef")
        before = books.label(entity.name, parent["value"]) if parent else ""
        if parent:
            above = books.the(entity.name, parent["value"])
            before = above.body.get("FullyQualifiedName", before)
        draft["FullyQualifiedName"] = f"{before}:{draft[names.field]}" if parent else draft[names.field]


def requalify_children(books: Books, new: Stored | None, old: Stored | None) -> None:
    """After a rename the qualified names of what is below it follow."""
    if new is None or old is None or new.body.get("FullyQualifiedName") == old.body.get("FullyQualifiedName"):
        return
    entity = books.entities[new.type]
    if entity.names is None:
        return
    below = "NOT deleted AND json_extract(body, '$.ParentRef.value') = ?"
    for child in list(books.rows(new.type, below, new.id)):
        name = f"{new.body['FullyQualifiedName']}:{child.body[entity.names.field]}"
        level = {"Level": name.count(":")} if "Level" in child.body else {}
        moved = books.change(child, child.body | {"FullyQualifiedName": name} | level, bump=False)
        requalify_children(books, moved, child)


def _create(books: Books, entity: Entity, sent: Body) -> Stored:
    _writable(books, entity, "create")
    draft = clean(books, entity.name, sent, dict(entity.fields), entity.ignored | UNIVERSAL)
    cleaned = dict(draft)
    _drop_empty(draft)
    _require(entity, draft)
    entity.prepare(books, draft, None, cleaned)
    _drop_empty(draft)
    rename(books, entity, draft, None)
    new = books.insert(entity.name, draft)
    entity.settle(books, new, None)
    return books.the(entity.name, new.id)


def _update(books: Books, entity: Entity, sent: Body) -> Stored:
    _writable(books, entity, "update")
    old = _target(books, entity, sent)
    cleaned = clean(books, entity.name, sent, dict(entity.fields), entity.ignored | UNIVERSAL)
    sparse = sent.get("sparse") in (True, "true")
    kept = old.body if sparse else {name: value for name, value in old.body.items() if name not in entity.fields}
    draft = copy.deepcopy(kept) | copy.deepcopy(cleaned)
    draft.pop(given.RAW, None)
    _drop_empty(draft)
    _require(entity, draft)
    entity.prepare(books, draft, old, cleaned)
    _drop_empty(draft)
    rename(books, entity, draft, old)
    if draft == old.body:
        return old
    new = books.change(old, draft)
    entity.settle(books, new, old)
    return books.the(entity.name, new.id)


def _target(books: Books, entity: Entity, sent: Any) -> Stored:
    """The object that a request is about, when its SyncToken is the current one."""
    _writable(books, entity, "")
    if not isinstance(sent, dict):
        raise errors.unreadable("The body must be a JSON object.")
    for name in sent:
        if name not in UNIVERSAL and name not in entity.fields and name not in entity.ignored:
            raise errors.unsupported_property(name, entity.name)
    object_id = "1" if entity.single else _id(sent.get("Id"))
    if sent.get("SyncToken") in (None, ""):
        raise errors.required("SyncToken")
    stored = books.get(entity.name, object_id)
    if stored is None:
        raise errors.not_found(entity.is_list)
    if str(sent["SyncToken"]) != str(stored.token):
        raise errors.stale(USER)
    return stored


def _writable(books: Books, entity: Entity, operation: str) -> None:
    if operation and operation not in entity.operations:
        raise errors.unsupported(operation)
    if books.switch("subscription", "active") != "active":
        raise errors.lapsed()


def _require(entity: Entity, draft: Body) -> None:
    for name in entity.required:
        if name not in draft:
            raise errors.required(name)


def _drop_empty(draft: Body) -> None:
    for name in [name for name, value in draft.items() if value is None or value == "" or value == {}]:
        del draft[name]


def _id(value: Any) -> str:
    if value in (None, ""):
        raise errors.required("Id")
    value = str(value)
    if not re.fullmatch(r"\d{1,18}|TAX|NON", value, re.ASCII):
        raise errors.invalid_id(value)
    return value


def _taken(books: Books, entity: Entity, draft: Body, own: str | None) -> bool:
    key = books.name_key(entity, draft)
    if key is None or entity.names is None:
        return False
    named = books.store.named(books.realm, entity.names.space, key)
    return any(other.id != own or other.type != entity.name for other in named)


def _free_name(books: Books, entity: Entity, draft: Body, own: str | None) -> str:
    """The name with " (deleted)" behind it, and a number when such a one is there already."""
    if entity.names is None:
        raise Fault(500, "Unsupported Operation")
    plain = str(draft[entity.names.field]).removesuffix(DELETED)
    for n in range(1, 10_000):
        name = plain + (DELETED if n == 1 else f" (deleted-{n - 1})")
        if not _taken(books, entity, draft | {entity.names.field: name}, own):
            return name
    raise errors.duplicate_name(entity.names.whose)
