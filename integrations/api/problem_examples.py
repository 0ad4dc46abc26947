"""Examples of the reference: problems, and what came of answers."""

from typing import Any

from integrations.api.reference import BOOKS_JOB, JOB_ID

_ID, _CONNECTION = "prb_01HZX2Q8YV3D1G0N3WJ2P7K9MJ", "con_01HZX2Q8YV3D1G0N3WJ2P7K9MH"
_BOOKS = BOOKS_JOB["integration"]
_CHOICE: dict[str, Any] = {"default": True, "dangerous": False, "values": [], "for_all": "same"}
ROW: dict[str, Any] = {
    "id": _ID,
    "integration": _BOOKS,
    "connection_id": _CONNECTION,
    "code": "RECORD_REJECTED",
    "cause": "match",
    "state": "open",
    "title": "Is it the same?",
    "message": BOOKS_JOB["errors"][0]["message"],
    "next_step": "Compare the two. If it is the same, they are linked and kept equal from now on; if not, a new one is "
    "made. Until then only this record and its documents wait.",
    "occurred_at": "2026-05-29T14:21:10Z",
    "resolved_at": None,
    "record": {"kind": "customer", "type": "client", "id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME", "remote_id": None},
    "choices": [
        {
            **_CHOICE,
            "id": "same:58",
            "label": "Same as “Kim Reed”",
            "effect": "The two are linked, and kept equal from now on. Nothing is made there.",
        },
        {
            **_CHOICE,
            "id": "new",
            "label": "Make a new customer, “Kim Reed (C)”",
            "effect": "Another one is made there.",
            "default": False,
            "values": ["name"],
            "for_all": "new",
        },
    ],
    "can_retry": False,
    "next_action_url": f"https://fieldcamp.example/admin/integrations/problem/{_ID}/change/",
}
LIST = {"problems": [ROW], "next_cursor": None}
DETAIL: dict[str, Any] = {
    **ROW,
    "sides": [],
    "candidates": [
        {
            "remote_id": "58",
            "name": "Kim Reed",
            "taken_by": None,
            "fields": [{"field": "display_name", "fieldcamp": "Kim Reed", "provider": "Kim Reed"}],
        }
    ],
    "provider_message": None,
}
ANSWERED = {"problem": {**DETAIL, "choices": [], "candidates": []}, "outcome": "queued", "job_id": JOB_ID}
RETRIED = {
    "problem": {
        **DETAIL,
        "cause": "inactive_reference",
        "title": "It refers to something inactive",
        "message": "The item “Boiler” is inactive there.",
        "next_step": "A customer, item or account that this record uses was made inactive there. Make it active again "
        "there, or choose another one here.",
        "record": {"kind": "invoice", "type": "invoice", "id": "inv_01HZX2Q8YV3D1G0N3WJ2P7K9MJ", "remote_id": None},
        "choices": [],
        "candidates": [],
        "can_retry": True,
    },
    "outcome": "queued",
    "job_id": JOB_ID,
}
PUT_AWAY = {**DETAIL, "state": "ignored", "choices": [], "candidates": []}
CAUSES_ANSWER = {
    "causes": [
        {
            "integration": _BOOKS,
            "connection_id": _CONNECTION,
            "code": "RECORD_REJECTED",
            "cause": "match",
            "title": "Is it the same?",
            "count": 17,
        }
    ]
}
OF_CAUSE = {"cause": "match", "integration": _BOOKS, "expected": 17}
_LEFT = {"id": _ID, "why": "The two do not agree so well that it stands out. Answer it by itself."}
ANSWERED_ALL = {"answered": 16, "left": 1, "left_problems": [_LEFT], "job_id": JOB_ID}
RETRIED_ALL = {"retried": 17, "left": 0, "left_problems": [], "job_id": JOB_ID}
