"""All types of objects that the books know, by name; further ones plug in here."""

from fieldcamp.sandbox.intuit.entity import Entity
from fieldcamp.sandbox.intuit.lists import ACCOUNT, ITEM, PAYMENT_METHOD, TERM
from fieldcamp.sandbox.intuit.people import CUSTOMER, EMPLOYEE, VENDOR

ENTITIES: dict[str, Entity] = {
    entity.name: entity for entity in (CUSTOMER, VENDOR, EMPLOYEE, ITEM, ACCOUNT, TERM, PAYMENT_METHOD)
}
SEGMENTS: dict[str, Entity] = {entity.segment: entity for entity in ENTITIES.values()}
