"""How events are worded: as CloudEvents, and as before 2026. Both in the several ways that Intuit's samples show.

https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks/data-objects
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from fieldcamp.sandbox.push.sender import chance

CLOUDEVENTS, LEGACY = "cloudevents", "legacy"
FORMATS = (CLOUDEVENTS, LEGACY)
DIGITS = (0, 2, 9)  # of the fraction of a second
OPERATIONS = {
    "created": "Create", "updated": "Update", "deleted": "Delete", "merged": "Merge", "void": "Void",
    "emailed": "Emailed",
}  # fmt: skip


def cloud_events(events: list[dict[str, Any]], void: str) -> bytes:
    """A list of CloudEvents, whatever companies they are about; `void` is the verb's word."""
    return json.dumps([_cloud_event(each, void) for each in events], separators=(",", ":")).encode()


def legacy(events: list[dict[str, Any]]) -> bytes:
    """An object whose notifications have a company each."""
    realms = dict.fromkeys(each["realm"] for each in events)
    notifications = [
        {
            "realmId": realm,
            "dataChangeEvent": {"entities": [_entity(each) for each in events if each["realm"] == realm]},
        }
        for realm in realms
    ]
    return json.dumps({"eventNotifications": notifications}, separators=(",", ":")).encode()


def stamp(moment: float, digits: int) -> str:
    """A moment in UTC with so many digits behind the second."""
    whole = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{int((moment % 1) * 1e9):09d}"[:digits]
    return f"{whole}.{fraction}Z" if digits else f"{whole}Z"


def _cloud_event(event: dict[str, Any], void: str) -> dict[str, Any]:
    verb = void if event["verb"] == "void" else event["verb"]
    shape = int(chance("shape", event["event_id"]) * 4)
    event_id = event["event_id"] + (f"-{event['entity']}-{event['id']}" if shape % 2 else "")
    result: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": f"qbo.{event['entity'].lower()}.{verb}.v1",
        "time": stamp(event["at"], DIGITS[int(chance("digits", event["event_id"]) * len(DIGITS))]),
        "intuitentityid": event["id"],
        "intuitaccountid": event["realm"],
    }
    if shape != 3:
        result["datacontenttype"] = "application/json"
    if "gone" in event:
        return result | {"data": {"deletedid": event["gone"]}}
    if shape == 0:
        return result | {"data": {}}
    return result | ({"data": {"alternative_ids": [f"{event['id']}:{event['realm']}"]}} if shape == 1 else {})


def _entity(event: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.fromtimestamp(int(event["at"]), UTC)
    if chance("spelled", event["event_id"]) < 0.5:
        updated = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    else:
        updated = moment.astimezone(timezone(timedelta(hours=-7))).strftime("%Y-%m-%dT%H:%M:%S%z")
    entity = {
        "name": event["entity"],
        "id": event["id"],
        "operation": OPERATIONS[event["verb"]],
        "lastUpdated": updated,
    }
    if "gone" in event:
        entity["deletedId" if chance("gone", event["event_id"]) < 0.5 else "deletedID"] = event["gone"]
    return entity
