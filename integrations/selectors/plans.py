"""Plans as the API and the desk show them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from integrations.kinds import KINDS
from integrations.models import Plan, PlanOperation, WorkspaceIntegration
from integrations.records import instant, renamed, texts_of
from integrations.selectors.subjects import local_kind

STATES = ("open", "needs_approval", "applied", "expired")
_BLOCKED_TIME = "blocked_time"


def approves_plans(workspace_id: str, integration: str) -> bool:
    """Returns whether the company wants plans of this integration approved by somebody else."""
    rows = WorkspaceIntegration.objects.filter(workspace=workspace_id, integration=integration, approves_plans=True)
    return rows.exists()


def state_of(plan: Plan, now: dt.datetime) -> str:
    if plan.applied_by_id is not None:
        return "applied"
    if plan.expires_at <= now:
        return "expired"
    waits = plan.approved_at is None and approves_plans(plan.workspace_id, plan.integration)
    return "needs_approval" if waits else "open"


def plan_head(plan: Plan, now: dt.datetime) -> dict[str, Any]:
    """Returns all of a plan but its operations."""
    return {
        "id": plan.pk,
        "integration": plan.integration,
        "state": state_of(plan, now),
        "job_id": plan.job_id,
        "made_at": instant(plan.made_at),
        "expires_at": instant(plan.expires_at),
        "approved_at": instant(plan.approved_at) if plan.approved_at else None,
        "approved_by": plan.approved_by or None,
        "applied_by": plan.applied_by_id,
        "counts": plan.counts,
        "money": [{"currency": currency or None, **sums} for currency, sums in sorted(plan.money.items())],
    }


def operations_of(plan: Plan) -> QuerySet[PlanOperation]:
    return plan.operations.order_by("number")


def operation_rows(plan: Plan, operations: Sequence[PlanOperation]) -> list[dict[str, Any]]:
    """Returns a page of operations; one query, however many they are."""
    names = _names_to_come(plan, operations)
    return [_row(operation, names) for operation in operations]


def _row(operation: PlanOperation, names: dict[str, str]) -> dict[str, Any]:
    hidden = KINDS[operation.kind].hidden_ids
    record = {"type": local_kind(operation.kind), "id": operation.record_id} if operation.record_id else None
    creates_there = operation.side == PlanOperation.Side.PROVIDER and operation.action == PlanOperation.Action.CREATE
    return {
        "id": operation.pk,
        "action": operation.action,
        "side": operation.side,
        "connection_id": operation.connection_id,
        "type": _BLOCKED_TIME if hidden else local_kind(operation.kind),
        "record": record,
        "remote_id": None if creates_there else operation.remote_id or None,
        "fields": renamed(operation.fields, names),
    }


def _names_to_come(plan: Plan, operations: Sequence[PlanOperation]) -> dict[str, str]:
    """Returns how what is still to be made there is called in the fields of these operations, by its planned id."""
    texts = {text for operation in operations for text in texts_of(operation.fields)}
    creates = plan.operations.filter(side=PlanOperation.Side.PROVIDER, action=PlanOperation.Action.CREATE)
    asked = sorted(text for text in texts if len(text) >= 20)
    found: dict[str, str] = {}
    for start in range(0, len(asked), 5_000):
        rows = creates.filter(remote_id__in=asked[start : start + 5_000])
        found.update(
            (remote_id, f"new:{record_id}") for remote_id, record_id in rows.values_list("remote_id", "record_id")
        )
    return found
