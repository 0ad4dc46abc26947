"""One company's books, as the engine and the hooks of entities work on them during one request."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fieldcamp.sandbox.intuit import times
from fieldcamp.sandbox.intuit.entity import Body, Entity
from fieldcamp.sandbox.intuit.store import Company, Store, Stored

NAME_FIELDS = ("DisplayName", "FullyQualifiedName", "Name")


class Books:
    """Reads and writes of one company. Lives for one request; writes belong inside the state's transaction."""

    def __init__(self, store: Store, entities: Mapping[str, Entity], company: Company) -> None:
        self.store, self.entities, self.company = store, entities, company
        self.realm = company.realm
        self._labels: dict[tuple[str, str], str] = {}

    @property
    def now(self) -> float:
        """The sandbox's clock."""
        return self.store.state.now()

    @property
    def today(self) -> str:
        """The company's date."""
        return times.today(self.now, self.company.zone)

    def switch(self, name: str, default: Any = None) -> Any:
        """How the company behaves, set by `/_control/switches`."""
        return self.company.switches.get(name, default)

    def get(self, entity: str, object_id: str) -> Stored | None:
        """The object, unless it is deleted."""
        stored = self.store.get(self.realm, entity, object_id)
        return None if stored is None or stored.deleted else stored

    def the(self, entity: str, object_id: str = "1") -> Stored:
        """The object that must be there, e.g. the company's one Preferences."""
        stored = self.get(entity, object_id)
        if stored is None:
            raise LookupError(f"{entity} {object_id}")
        return stored

    def rows(self, entity: str, where: str = "NOT deleted", *params: Any, **more: Any) -> Iterator[Stored]:
        """Objects of one type; `where` is SQL over q_objects, never a client's."""
        return self.store.rows(self.realm, entity, where, *params, **more)

    def of_customer(self, entity: str, customer_id: str) -> Iterator[Stored]:
        """The customer's transactions of one type."""
        return self.rows(
            entity, "NOT deleted AND json_extract(body, '$.CustomerRef.value') COLLATE NOCASE = ?", customer_id
        )

    def insert(self, entity: str, body: Body, object_id: str = "") -> Stored:
        """A new object, exactly as given: for the engine, seeds and what follows from other writes."""
        kind = self.entities[entity]
        sequence = kind.sequence or entity
        if object_id.isdecimal():
            self.store.reserve(self.realm, sequence, int(object_id))
        stored = Stored(
            realm=self.realm,
            type=entity,
            id=object_id or self.store.next_id(self.realm, sequence),
            token=-1,
            created=0,
            updated=0,
            change=0,
            deleted=False,
            active=body.get("Active", True),
            space=kind.names.space if kind.names else None,
            name_key=self.name_key(kind, body),
            body=body,
        )
        return self.store.save(stored)

    def change(self, stored: Stored, body: Body, bump: bool = True) -> Stored:
        """Writes an object's new body. `bump=False` leaves its SyncToken and moves LastUpdatedTime alone."""
        kind = self.entities[stored.type]
        self._labels.pop((stored.type, stored.id), None)
        active, key = body.get("Active", True), self.name_key(kind, body)
        return self.store.save(replace(stored, body=body, active=active, name_key=key), bump)

    def annotate(self, stored: Stored, body: Body) -> None:
        """Writes into an object what its answers show from now on although it was not changed itself."""
        self.store.rewrite(replace(stored, body=body))

    def delete(self, stored: Stored) -> None:
        """Leaves a tombstone."""
        self.store.bury(stored)

    def label(self, entity: str, object_id: str) -> str:
        """The name that a reference to it shows."""
        key = (entity, object_id)
        if key not in self._labels:
            stored = self.store.get(self.realm, entity, object_id)
            body = stored.body if stored else {}
            names = ("DisplayName",) if "DisplayName" in body else ("FullyQualifiedName", "Name")
            self._labels[key] = next((body[name] for name in names if name in body), "")
        return self._labels[key]

    def with_name(self, reference: dict[str, Any], *entities: str) -> dict[str, Any]:
        """The reference with the name of what it points to."""
        for entity in entities:
            name = self.label(entity, reference["value"])
            if name:
                return {"value": reference["value"], "name": name}
        return reference

    def preference(self, group: str, name: str, default: Any = None) -> Any:
        """One of the company's preferences, e.g. ("TaxPrefs", "UsingSalesTax")."""
        stored = self.get("Preferences", "1")
        return stored.body.get(group, {}).get(name, default) if stored else default

    @staticmethod
    def name_key(kind: Entity, body: Body) -> str | None:
        """What is unique about the object's name."""
        if kind.names is None or not body.get(kind.names.field):
            return None
        name = str(body[kind.names.field]).casefold()
        parent = body.get("ParentRef", {}).get("value", "") if kind.names.per_parent else ""
        return f"{parent}\n{name}" if kind.names.per_parent else name
