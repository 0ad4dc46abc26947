"""Events about problems: `problem.*`, and `conflict.*` of what both sides have changed. Of a conflict the fields are
named and no value is shown: these belong to whoever may read the record, and an event is one body for all."""

from collections.abc import Sequence
from typing import Any

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.recording import new_event, record_events
from integrations.errors import ProblemCode
from integrations.models import Problem
from integrations.selectors.status import about_record, errors

LONGEST_ID = 40  # what an event's `record_id` has room for; longer ones are the provider's


def problems_opened(problems: Sequence[Problem]) -> None:
    """Records that these problems are there, inside the transaction that marks them as told."""
    _record(problems, "opened")


def problems_resolved(problems: Sequence[Problem]) -> None:
    """Records that these problems are over, inside the transaction that closes them; of those only that were told."""
    _record([problem for problem in problems if problem.told_at], "resolved")


def conflict(problem: Problem) -> dict[str, Any]:
    """Returns a conflict as its events show it: which record, and which of its fields."""
    named = problem.data.get("fields") if isinstance(problem.data, dict) else None
    return {
        "id": problem.pk,
        "integration": problem.integration,
        "connection_id": problem.connection_id,
        "kind": problem.record_kind,
        "record_id": problem.record_id,
        "fields": named.split(", ") if isinstance(named, str) and named else [],
    }


def _record(problems: Sequence[Problem], verb: str) -> None:
    events = []
    for problem in problems:
        collides = problem.code == ProblemCode.CONFLICT
        record_id = problem.record_id if about_record(problem) else problem.connection_id or ""
        events.append(
            new_event(
                problem.workspace_id,
                f"conflict.{verb}" if collides else f"problem.{verb}",
                conflict(problem) if collides else errors([problem])[0],
                record_id=record_id if len(record_id) <= LONGEST_ID else problem.pk,
                source=WebhookEvent.Source.SYNC,
                integration=problem.integration,
            )
        )
    record_events(events)
