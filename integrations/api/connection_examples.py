"""Examples of the reference: connected accounts and what is chosen for them."""

from typing import Any

from integrations.api.reference import BOOKS_JOB, JOB_ID, SUMMARY

_ID, _MEMBER = "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG", "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF"
_CALENDAR = SUMMARY["integration"]
ROW: dict[str, Any] = {
    "id": _ID,
    "integration": _CALENDAR,
    "account": "dana@example.com",
    "member_id": _MEMBER,
    "state": "active",
    "state_reason": None,
    "connect_url": None,
    "scopes_missing": [],
    "access_ends_at": None,
    "last_synced_at": "2026-05-29T14:05:11Z",
    "fresh_until": "2026-05-29T14:43:11Z",
    "stalled": False,
    "retry_at": None,
    "problems": 0,
    "removing_events": False,
    "metered_reads": None,
    "connected_at": "2026-05-02T09:12:40Z",
    "disconnected_at": None,
}
_AGAIN = f"https://fieldcamp.example/admin/integrations/connect/{_CALENDAR.replace('_', '-')}/?connection={_ID}"
BROKEN_ROW = {
    **ROW,
    "state": "needs_reconnect",
    "state_reason": "The access was withdrawn.",
    "connect_url": _AGAIN,
    "stalled": True,
    "problems": 1,
}
LIST = {"connections": [ROW], "next_cursor": None}
PAUSED = {**ROW, "state": "paused", "state_reason": "Paused by API key Office (key_01HZX2Q8YV3D1G0N3WJ2P7K9MB).",
          "fresh_until": None}  # fmt: skip
DISCONNECTED = {
    **ROW,
    "state": "disconnected",
    "state_reason": "Disconnected by API key Office (key_01HZX2Q8YV3D1G0N3WJ2P7K9MB).",
    "connect_url": _AGAIN,
    "fresh_until": None,
    "disconnected_at": "2026-05-29T14:21:08Z",
    "job_id": None,
}
LEAVING = {
    **ROW,
    "state_reason": "FieldCamp's events are being removed from the calendar.",
    "fresh_until": None,
    "removing_events": True,
    "job_id": JOB_ID,
}
CALENDAR_SETTINGS: dict[str, Any] = {
    "connection_id": _ID,
    "integration": _CALENDAR,
    "calendar": {
        "member_id": _MEMBER,
        "target_calendar": {"id": "dana@example.com", "name": "dana@example.com"},
        "busy_calendars": [{"id": "dana@example.com", "name": "dana@example.com"}],
        "direction": "bidirectional",
        "conflict_policy": "fieldcamp",
    },
    "books": None,
    "metered_reads_per_day": None,
}
BOOKS_SETTINGS = {
    "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MH",
    "integration": BOOKS_JOB["integration"],
    "calendar": None,
    "books": {
        "income_account": {"id": "1", "name": "Services"},
        "default_item": None,
        "class": None,
        "location": None,
        "terms": {"id": "3", "name": "Net 30"},
        "import_customers": True,
        "import_items": True,
        "invoices_from": "2026-01-01",
        "direction": "bidirectional",
        "conflict_policy_lists": "fieldcamp",
        "conflict_policy_documents": "ask",
    },
    "metered_reads_per_day": 500,
}
OPTIONS: dict[str, Any] = {
    "connection_id": _ID,
    "calendars": [
        {
            "id": "dana@example.com",
            "name": "dana@example.com",
            "primary": True,
            "writable": True,
            "readable": True,
            "owner": None,
        }
    ],
    "income_accounts": [],
    "items": [],
    "classes": [],
    "locations": [],
    "terms": [],
}
