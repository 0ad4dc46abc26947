"""Examples of the reference: why a visit is not in a calendar, and why a client is not in the books."""

from typing import Any

from integrations.api.problem_examples import ROW as PROBLEM
from integrations.api.reference import BOOKS_JOB, JOB
from integrations.kinds import CUSTOMER, KINDS, VISIT

_NONE: dict[str, Any] = {
    "reason": None, "why": None, "nextStep": None, "problemIds": [], "waitsFor": None, "remoteId": None,
    "remoteUrl": None, "lastPushedAt": None, "lastPulledAt": None,
}  # fmt: skip
_CONNECTION = "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG"
OF_VISIT: dict[str, Any] = {
    "recordId": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD",
    "integrations": [
        {
            **_NONE,
            "integration": JOB["integration"],
            "connectionId": _CONNECTION,
            "place": "Dana's visits",
            "state": "excluded",
            "reason": "too_old",
            "why": "It ended 41 days ago; visits are synced 30 days back.",
            "nextStep": "Nothing to do. If it is still to come, give it its new time.",
        }
    ],
}
OF_BOOKS: dict[str, Any] = {
    "recordId": PROBLEM["record"]["id"],
    "integrations": [
        {
            **_NONE,
            "integration": BOOKS_JOB["integration"],
            "connectionId": PROBLEM["connection_id"],
            "place": KINDS[CUSTOMER.name].plural,
            "state": "problem",
            "reason": PROBLEM["cause"],
            "why": PROBLEM["message"],
            "nextStep": PROBLEM["next_step"],
            "problemIds": [PROBLEM["id"]],
        }
    ],
}


def example_of(kind: str) -> dict[str, Any]:
    """Returns the example for records of this kind."""
    return OF_VISIT if kind == VISIT.name else OF_BOOKS


def fields_example_of(kind: str) -> list[dict[str, Any]]:
    """Returns who set the fields of that record."""
    set_at_desk = {"setBy": {"kind": "desk", "name": "Dana"}, "at": "2026-05-27T08:15:09.120000Z", "jobId": None}
    if kind != VISIT.name:
        return [{"field": "firstName", **set_at_desk, "integration": None}]
    moved = {"setBy": {"kind": "sync", "name": "dana@example.com"}, "at": "2026-05-29T14:22:31.080000Z"}
    return [
        {"field": "title", **set_at_desk, "integration": None},
        {"field": "scheduledStart", **moved, "jobId": JOB["job_id"], "integration": JOB["integration"]},
    ]
