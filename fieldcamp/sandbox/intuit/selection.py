"""Answers a query: its conditions as SQL over the stored objects."""

import re
from typing import Any

from fieldcamp.sandbox.intuit import engine, times
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import FOUND, Body, Entity, Property
from fieldcamp.sandbox.intuit.query import Condition, Query, invalid, parse

COMMON = {
    "Id": Property("id", "id"),
    "MetaData.CreateTime": Property("created", "time"),
    "MetaData.LastUpdatedTime": Property("updated", "time"),
}
ALWAYS = ("Id", "domain", "sparse")


def answer(books: Books, statement: str, include: tuple[str, ...] = ()) -> Body:
    """The QueryResponse of a statement; without a match it is an empty object."""
    query = parse(statement)
    entity = _entity(books, query.entity)
    where, params = _where(books, entity, query)
    if query.count:
        return {"totalCount": books.store.count(books.realm, entity.name, where, *params)}
    order = ", ".join(f"{_sorted_by(entity, name)} {'DESC' if descends else 'ASC'}" for name, descends in query.order)
    rows = books.rows(
        entity.name,
        where,
        *params,
        order=f"{order}, n, id" if order else entity.order,
        limit=query.limit,
        offset=query.start - 1,
    )
    found = [_projected(entity, engine.shown(books, stored, FOUND, include), query.columns) for stored in rows]
    if not found:
        return {}
    page = {entity.name: found, "startPosition": query.start, "maxResults": len(found)}
    return page if entity.is_list else page | {"totalCount": len(found)}


def _entity(books: Books, name: str) -> Entity:
    for entity in books.entities.values():
        if entity.name.lower() == name.lower():
            return entity
    raise invalid(f"invalid context declaration: {name}")


def _where(books: Books, entity: Entity, query: Query) -> tuple[str, list[Any]]:
    parts, params = ["NOT deleted"], []
    for condition in query.where:
        sql, values = _compared(books, entity, condition)
        parts.append(sql)
        params += values
    asks_active = any(condition.name.lower() == "active" for condition in query.where)
    if entity.is_list and not asks_active:
        parts.append("active = 1")
    return " AND ".join(parts), params


def _compared(books: Books, entity: Entity, condition: Condition) -> tuple[str, list[Any]]:
    name, operator = condition.name, condition.operator
    prop, expression = _property(entity, name), _expression(entity, name)
    if prop.holds in ("id", "flag") and operator not in ("=", "IN"):
        raise invalid(f"operator {operator} is not supported for property '{name}'")
    if operator == "LIKE":
        if prop.holds != "text":
            raise invalid(f"operator LIKE is not supported for property '{name}'")
        return f"{expression} LIKE ? ESCAPE '\\'", [_pattern(condition.values[0])]
    values = [_value(books, name, prop, value) for value in condition.values]
    if operator == "IN":
        return f"{expression} IN ({', '.join('?' * len(values))})", values
    return f"{expression} {operator} ?", values


def _property(entity: Entity, name: str) -> Property:
    for known, prop in (COMMON | dict(entity.filterable)).items():
        if known.lower() == name.lower():
            return prop
    known_names = {each.lower() for each in (*entity.fields, *entity.ignored, "MetaData", "SyncToken")}
    if name.split(".")[0].lower() in known_names:
        raise invalid(f"property '{name}' is not queryable")
    raise invalid(f"Property {name} not found for Entity {entity.name}")


def _expression(entity: Entity, name: str) -> str:
    prop = _property(entity, name)
    if prop.holds == "flag" and prop.path == "$.Active":
        return "active"
    if not prop.path.startswith("$"):
        return prop.path
    extracted = f"json_extract(body, '{prop.path}')"
    return extracted if prop.holds in ("number", "flag") else f"{extracted} COLLATE NOCASE"


def _sorted_by(entity: Entity, name: str) -> str:
    """What rows are sorted by: ids are sorted as numbers."""
    return "n" if _property(entity, name).holds == "id" else _expression(entity, name)


def _value(books: Books, name: str, prop: Property, text: str) -> Any:
    if prop.holds == "number":
        try:
            return float(text)
        except ValueError:
            raise invalid(f"value {text} of property '{name}' is not a number") from None
    if prop.holds == "flag":
        if text.lower() not in ("true", "false"):
            raise invalid(f"value {text} of property '{name}' is not a boolean")
        return int(text.lower() == "true")
    if prop.holds == "time":
        seconds = times.moment(text, books.company.zone)
        if seconds is None:
            raise invalid(f"value {text} of property '{name}' is not a valid date")
        return seconds
    if prop.holds == "day":
        if not re.match(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise invalid(f"value {text} of property '{name}' is not a valid date")
        return text[:10]
    return text


def _pattern(text: str) -> str:
    """Only % is a wildcard."""
    return text.replace("\\", "\\\\").replace("_", "\\_")


def _projected(entity: Entity, shown: Body, columns: tuple[str, ...]) -> Body:
    """The asked properties alone, and the sign that there are more."""
    if not columns:
        return shown
    wanted = {column.split(".")[0].lower() for column in columns}
    known = {name.lower() for name in (*entity.fields, *entity.ignored, *entity.filterable, *shown, "SyncToken")}
    for name in sorted(wanted - known):
        raise invalid(f"Property {name} not found for Entity {entity.name}")
    return {name: value for name, value in shown.items() if name in ALWAYS or name.lower() in wanted} | {"sparse": True}
