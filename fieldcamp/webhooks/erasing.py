"""Taking an erased person out of the events that are kept, sent or not, and out of what receivers answered.

Everything runs inside the caller's transaction. Id, type, time and number of an event stay, so that whoever reads the
events in order misses none.
"""

import datetime as dt
import json
import re
from collections.abc import Set
from typing import Any

from django.db.models import Q

from fieldcamp.webhooks.models import DeliveryAttempt, EventCounter, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import JSON
from fieldcamp.webhooks.records import RESOURCES, TEAM
from fieldcamp.workspace.erasing import Words, portions

_AT_ONCE = 500
_ID = re.compile(r"[a-z]{3}_[0-9A-Z]{26}")
_OF_RECORDS = {each.name for each in (*RESOURCES.values(), TEAM)}


def erase_events(workspace_id: str, ids: Set[str], words: Words, *, since: dt.datetime) -> int:
    """Takes these records, and the words of a person wherever they stand, out of the company's events; how many.
    `since` is when the person was made: nothing before it is about them."""
    _keep_fan_out_off(workspace_id)
    count = 0
    rows = WebhookEvent.objects.filter(workspace=workspace_id, created_at__gte=since).order_by("pk")
    changed: list[WebhookEvent] = []
    for event in rows.iterator(chunk_size=_AT_ONCE):
        text = bytes(event.body).decode()
        about = event.record_id in ids or (
            event.type.partition(".")[0] not in _OF_RECORDS and not ids.isdisjoint(_ID.findall(text))
        )
        if about or words.erased(text) != text or words.whole:
            body = _without(json.loads(text), about, words)
            if (rendered := JSON.render(body)) != bytes(event.body):
                event.body = rendered
                changed.append(event)
    for some in portions([event.pk for event in changed]):
        excerpts = DeliveryAttempt.objects.filter(delivery__event__in=some)
        excerpts.exclude(excerpt="").update(excerpt="")
    WebhookEvent.objects.bulk_update(changed, ["body"], batch_size=100)
    count += len(changed)
    _erase_excerpts(workspace_id, since, words)
    _erase_endpoints(workspace_id, words)
    return count


def _keep_fan_out_off(workspace_id: str) -> None:
    """Takes the lock under which events are numbered until the caller's transaction ends: numbering writes bodies as
    well, and either would put back what the other has just taken out."""
    EventCounter.objects.bulk_create([EventCounter(workspace_id=workspace_id)], ignore_conflicts=True)
    EventCounter.objects.select_for_update().get(pk=workspace_id)


def _without(body: dict[str, Any], about: bool, words: Words) -> dict[str, Any]:
    """Returns the body without these words; of one that is about the person nothing but the id is left."""
    if about:
        shown = body["data"]["object"]
        kept = {"id": shown.get("id")} if isinstance(shown, dict) else {}
        deleted = {"deleted": True} if isinstance(shown, dict) and shown.get("deleted") else {}
        body["data"] = {"object": {**kept, **deleted, "erased": True}}
    return {**body, "source": words.erased(body["source"]), "data": words.erased(body["data"])}


def _erase_excerpts(workspace_id: str, since: dt.datetime, words: Words) -> None:
    tries = DeliveryAttempt.objects.filter(delivery__workspace=workspace_id, at__gte=since).exclude(excerpt="")
    found = [pk for pk, text in tries.values_list("pk", "excerpt").iterator() if words.erased(text) != text]
    for start in range(0, len(found), 1_000):
        DeliveryAttempt.objects.filter(pk__in=found[start : start + 1_000]).update(excerpt="")


def _erase_endpoints(workspace_id: str, words: Words) -> None:
    """Takes the name of who has made an endpoint off it; where it sends to is the company's own affair."""
    made = WebhookEndpoint.objects.filter(workspace=workspace_id).filter(~Q(created_by="") | ~Q(description=""))
    for pk, by, description in made.order_by("pk").values_list("pk", "created_by", "description"):
        if words.erased([by, description]) != [by, description]:
            WebhookEndpoint.objects.filter(pk=pk).update(
                created_by=words.erased(by)[:200], description=words.erased(description)[:200]
            )
