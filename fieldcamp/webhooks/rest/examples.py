"""Examples of the reference for webhooks: real shapes with made-up ids."""

from typing import Any

ENDPOINT_ID = "whk_01HZX2Q8YV3D1G0N3WJ2P7K9MN"
DELIVERY_ID = "dlv_01HZX9V1A2B3C4D5E6F7G8H9JK"
EVENT_ID = "evt_01HZX9V0Q7K6F3JNYG6Q8E1P2A"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # noqa: S105  # of the published test vectors
NEW_ENDPOINT: dict[str, Any] = {
    "url": "https://example.com/hooks/fieldcamp",
    "events": ["visit.*", "sync.completed"],
    "description": "Dispatch board",
}
# As an event's `data.object` shows it.
ENDPOINT: dict[str, Any] = {
    "id": ENDPOINT_ID,
    **NEW_ENDPOINT,
    "status": "enabled",
    "disabledReason": None,
    "disabledAt": None,
    "apiVersion": "2024-10-01",
    "payload": "full",
    "onlyChanged": True,
    "sources": [],
    "maxPerSecond": 20,
    "scopes": ["visits:read", "integrations:read"],
    "secretHint": "MDE=",
    "previousSecretUntil": None,
    "createdBy": "API key Dispatch (key_01HZX2Q8YV3D1G0N3WJ2P7K9MB)",
    "madeBy": "key_01HZX2Q8YV3D1G0N3WJ2P7K9MB",
    "createdAt": "2026-05-29T14:20:11.402000Z",
    "updatedAt": "2026-05-29T14:21:40.120000Z",
}
STATS = {"delivered24h": 1312, "failed24h": 2, "lastDeliveredAt": "2026-05-29T14:22:32.001000Z", "p95Ms": 214}
SHOWN = {**ENDPOINT, "nextStep": None, "stats": STATS}
CREATED = {
    **SHOWN,
    "status": "pending",
    "nextStep": f"Send a test: POST /api/v1/webhooks/{ENDPOINT_ID}/test. Events are sent as soon as one is accepted.",
    "stats": {"delivered24h": 0, "failed24h": 0, "lastDeliveredAt": None, "p95Ms": None},
    "secret": SECRET,
}
TESTED: dict[str, Any] = {
    "eventId": EVENT_ID,
    "delivered": True,
    "responseStatus": 204,
    "error": None,
    "ms": 112,
    "responseExcerpt": None,
    "enabled": True,
    "nextStep": None,
}
DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "eventId": EVENT_ID,
    "eventType": "visit.updated",
    "status": "failed",
    "attempts": 10,
    "nextAttemptAt": None,
    "responseStatus": 500,
    "error": None,
    "replayOf": None,
    "isTest": False,
    "createdAt": "2026-05-29T14:22:32.001000Z",
    "finishedAt": "2026-06-01T17:57:32.001000Z",
}
QUEUED = {
    **DELIVERY,
    "id": "dlv_01HZXD0V1A2B3C4D5E6F7G8H9J",
    "status": "pending",
    "attempts": 0,
    "nextAttemptAt": "2026-06-02T08:00:00.001000Z",
    "responseStatus": None,
    "replayOf": DELIVERY_ID,
    "createdAt": "2026-06-02T08:00:00.001000Z",
    "finishedAt": None,
}
TRY = {
    "attempt": 1,
    "at": "2026-05-29T14:22:32.120000Z",
    "ms": 214,
    "responseStatus": 500,
    "error": None,
    "responseExcerpt": "Internal Server Error",
}
