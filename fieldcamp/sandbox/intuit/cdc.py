"""Change data capture: what changed since a moment, in one answer without pages.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
"""

from fieldcamp.sandbox.intuit import engine, errors, times
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity
from fieldcamp.sandbox.intuit.query import invalid
from fieldcamp.sandbox.intuit.store import Stored

MOST_OBJECTS = 1000  # over the whole answer
DAYS_BACK = 30


def answer(books: Books, names: str, since: str) -> Body:
    """The CDCResponse for a comma-separated list of entities."""
    for name, value in (("entities", names), ("changedSince", since)):
        if not value.strip():
            raise errors.required(name)
    # An unencoded "+" of an offset arrives as a space.
    moment = times.moment(since.strip().replace(" ", "+") if "T" in since else since, books.company.zone)
    if moment is None:
        raise invalid(f"changedSince {since} is not a valid date")
    if moment < books.now - DAYS_BACK * 86400 or books.store.state.cursor_is_dead(since):
        raise errors.unsupported(f"cdc with changedSince date {since} which is older than fixed days")
    left, groups = MOST_OBJECTS, []
    for entity in [_entity(books, name.strip()) for name in names.split(",") if name.strip()]:
        group = _changed(books, entity, moment, left)
        left -= group.get("maxResults", 0)
        groups.append(group)
    return {"CDCResponse": [{"QueryResponse": groups}]}


def _changed(books: Books, entity: Entity, since: float, most: int) -> Body:
    """Live objects by the time of their change, then the deleted ones, as far as there is room."""
    rows: list[Body] = []
    false_one = books.switch("false_deleted", "")
    # LastUpdatedTime has whole seconds: a change in the second of `since` may be later than it, so it is told.
    for stored in books.rows(
        entity.name, "updated >= ?", int(since), order="deleted, updated, change", limit=max(most, 0)
    ):
        if stored.deleted or false_one == f"{entity.name}:{stored.id}":
            rows.append(_tombstone(books, stored))
        else:
            rows.append(engine.shown(books, stored))
    if not rows:
        return {}
    return {entity.name: rows, "startPosition": 1, "maxResults": len(rows), "totalCount": len(rows)}


def _tombstone(books: Books, stored: Stored) -> Body:
    updated = times.stamp(stored.updated, books.company.zone)
    return {"domain": "QBO", "status": "Deleted", "Id": stored.id, "MetaData": {"LastUpdatedTime": updated}}


def _entity(books: Books, name: str) -> Entity:
    for entity in books.entities.values():
        if entity.name.lower() == name.lower():
            if entity.in_cdc:
                return entity
            raise invalid(f"entity {entity.name} is not supported by change data capture")
    raise invalid(f"invalid context declaration: {name}")
