"""What an event came from: a person, a program, a sync, with the page where that is seen."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import BinaryField, QuerySet
from django.db.models.functions import Substr
from django.urls import NoReverseMatch, reverse

from fieldcamp.webhooks.admin.words import SOURCES
from fieldcamp.webhooks.models import WebhookEvent

# The source stands before the record, which may be large: so much of a body has it.
_HEAD = 2000
PAGES = {
    "visit": "workspace_visit",
    "client": "workspace_client",
    "item": "workspace_item",
    "tax": "workspace_taxrate",
    "invoice": "workspace_invoice",
    "payment": "workspace_payment",
    "team_member": "workspace_member",
    "connection": "integrations_connection",
    "connect_link": "integrations_connectlink",
    "sync": "integrations_syncjob",
    "problem": "integrations_problem",
    "conflict": "integrations_problem",
    "webhook": "webhooks_webhookendpoint",
}


@dataclass(frozen=True)
class EventOrigin:
    """`label` is said of it; `job` the sync that it came from, with its page."""

    label: str
    actor: str = ""
    job: str = ""
    url: str = ""


def with_heads(events: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
    """Reads of each event's body only what says where it came from."""
    return events.defer("body").annotate(head=Substr("body", 1, _HEAD, output_field=BinaryField()))


def source_of(event: Any) -> EventOrigin:
    """Returns where an event came from; what cannot be read is left out."""
    head = bytes(getattr(event, "head", None) or event.body[:_HEAD]).decode(errors="replace")
    label = str(SOURCES.get(event.source) or event.source)
    _, mark, rest = head.partition('"source":')
    try:
        found, _end = json.JSONDecoder().raw_decode(rest.lstrip()) if mark else ({}, 0)
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        found = {}
    job = str(found.get("job_id") or "")
    url = page_of("sync", job) if job else ""
    return EventOrigin(label, str(found.get("actor") or ""), job, url)


def record_page(event: WebhookEvent) -> str:
    """Returns the page of the record that the event is about; "" where there is none any more."""
    resource, _, action = event.type.partition(".")
    return page_of(resource, event.record_id) if event.record_id and action != "deleted" else ""


def page_of(resource: str, pk: str) -> str:
    """Returns the desk's page of a record; "" where there is none for its kind, or the id is none."""
    try:
        return reverse(f"admin:{PAGES[resource]}_change", args=[pk]) if resource in PAGES else ""
    except NoReverseMatch:
        return ""
