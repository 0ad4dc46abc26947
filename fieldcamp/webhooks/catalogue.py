"""What the events of each type hold: one table that the catalogue, its JSON Schemas, the reference and tests are made
of.

`data.object` is what the resource's own GET answers, so its serializer describes both. The records of the workspace
stand here; whoever has resources of their own calls `describe` in `AppConfig.ready()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework.serializers import Serializer

from fieldcamp.webhooks.event_types import API_VERSION, EVENT_TYPES, EventType
from fieldcamp.webhooks.rest.examples import ENDPOINT, EVENT_ID
from fieldcamp.webhooks.rest.serializers import EndpointSerializer
from fieldcamp.workspace.rest.examples import CLIENT, MEMBER, VISIT
from fieldcamp.workspace.rest.money_examples import INVOICE, ITEM, PAYMENT, TAX
from fieldcamp.workspace.rest.money_serializers import (
    InvoiceSerializer,
    ItemSerializer,
    PaymentSerializer,
    TaxSerializer,
)
from fieldcamp.workspace.rest.serializers import ClientSerializer, MemberSerializer, VisitSerializer

Body = dict[str, Any]
Schema = dict[str, Any]
_WORKSPACE = "wsp_01HZX2Q8YV3D1G0N3WJ2P7K9M1"
_API = {
    "kind": "api",
    "integration": None,
    "job_id": None,
    "actor": "API key Dispatch",
    "request_id": "req_01HZX2Q8YV3D1G0N3WJ2P7K9MC",
}
SYSTEM = {"kind": "system", "integration": None, "job_id": None, "actor": None, "request_id": None}


@dataclass(frozen=True, slots=True)
class EventObject:
    """What `data.object` is: the serializer of the resource's own answer, an example of it, and, for types that tell
    it, an example of `previous_attributes`. `extra` are further properties that the answer itself has not."""

    serializer: type[Serializer]
    example: Mapping[str, Any]
    previous: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=lambda: _API)
    extra: Mapping[str, Schema] = field(default_factory=dict)


_described: dict[str, EventObject] = {}


def describe(
    name: str,
    serializer: type[Serializer],
    example: Mapping[str, Any],
    *,
    previous: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] = _API,
    extra: Mapping[str, Schema] | None = None,
) -> None:
    """Says what events hold: those of the type `name`, or of each type of the resource `name` that is not described by
    itself. ValueError where there is no such type."""
    if name not in EVENT_TYPES and name not in {each.resource for each in EVENT_TYPES.values()}:
        raise ValueError(f"There are no events {name}.")
    _described[name] = EventObject(serializer, example, previous or {}, source, extra or {})


def described(event_type: str) -> EventObject | None:
    """Returns what events of the type hold; None where nobody has said so."""
    return _described.get(event_type) or _described.get(EVENT_TYPES[event_type].resource)


def example_of(event_type: str) -> Body:
    """Returns a whole event of the type with made-up content, as it is sent."""
    found = described(event_type)
    content: Body = {"object": object_example(EVENT_TYPES[event_type])}
    if (previous := previous_example(EVENT_TYPES[event_type])) is not None:
        content["previous_attributes"] = previous
    return {
        "id": EVENT_ID,
        "type": event_type,
        "created_at": "2026-05-29T14:22:31.812Z",
        "api_version": API_VERSION,
        "workspace_id": _WORKSPACE,
        "sequence": 4711,
        "source": dict(found.source if found else SYSTEM),
        "data": content,
    }


def object_example(event_type: EventType) -> Body:
    """Returns an example of its `data.object`."""
    found = described(event_type.name)
    if found is None:
        return {}
    if is_removal(event_type):
        return {"id": found.example["id"], "deleted": True}
    return dict(found.example)


def previous_example(event_type: EventType) -> Body | None:
    """Returns an example of its `previous_attributes`; None where it has none."""
    found = described(event_type.name)
    return dict(found.previous) if found and event_type.tells_previous else None


def is_removal(event_type: EventType) -> bool:
    """Returns whether the record is gone, so that only its id is told."""
    return event_type.name.endswith(".deleted")


_DONE = {**VISIT, "visitStatus": "completed"}
describe("visit", VisitSerializer, VISIT, previous={"scheduledStart": "2026-05-30T08:00:00Z"})
describe(
    "visit.status_changed",
    VisitSerializer,
    {**VISIT, "visitStatus": "in_progress"},
    previous={"visitStatus": "scheduled"},
)
describe("visit.completed", VisitSerializer, _DONE)
describe("client", ClientSerializer, CLIENT, previous={"email": "ada.stone@example.com"})
describe("item", ItemSerializer, ITEM, previous={"price": 160})
describe("tax", TaxSerializer, TAX, previous={"name": "CA"})
describe("invoice", InvoiceSerializer, INVOICE, previous={"memo": None})
describe("invoice.paid", InvoiceSerializer, {**INVOICE, "status": "paid", "paid": 361.8, "balance": 0})
describe(
    "invoice.voided",
    InvoiceSerializer,
    {**INVOICE, "voidedAt": "2026-05-29T14:22:31Z", "voidReason": "Billed twice", "paid": 0, "balance": 0},
)
describe("payment", PaymentSerializer, PAYMENT, previous={"reference": "2216"})
describe("team_member", MemberSerializer, MEMBER, previous={"role": "viewer"})
describe("webhook", EndpointSerializer, ENDPOINT, source=SYSTEM)
describe(
    "webhook.disabled",
    EndpointSerializer,
    {**ENDPOINT, "status": "disabled", "disabledReason": "failing", "disabledAt": "2026-05-29T14:22:31.800000Z"},
    source=SYSTEM,
)
