"""What a dry run's page shows of its plan: what a sync would do, in words, and whether it may be approved."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.users import DeskUser
from integrations.admin.buttons import Button
from integrations.admin.record_pages import page_of
from integrations.admin.values import PLURALS, Table, label_of, shown
from integrations.models import Plan, PlanOperation, SyncJob
from integrations.providers import PROVIDERS
from integrations.selectors.plans import operations_of, state_of
from integrations.selectors.subjects import Subjects, subjects

MOST = 200  # operations on the page; all of them are to be had from the API


def plan_context(job: SyncJob, desk_user: DeskUser) -> dict[str, Any] | None:
    """Returns the plan of a dry run that has made one, or the one that a job applies; None of any other job."""
    plans = Plan.objects.filter(workspace=job.workspace_id)
    plan = plans.filter(pk=job.applies).first() if job.applies else plans.filter(job=job).first()
    if plan is None or not plan.is_complete:
        return None
    operations = list(operations_of(plan).select_related("connection")[:MOST])
    about = subjects((job.workspace_id, row.kind, row.record_id) for row in operations)
    state, number = state_of(plan, timezone.now()), plan.counts["operations"]
    return {
        "plan": plan,
        "state": state,
        "said": ngettext("{number} change", "{number} changes", number).format(number=number),
        "rows": [_row(row, about, desk_user) for row in operations],
        "left": max(0, number - MOST),
        "money": [
            (currency, sorted((name.replace("_", " "), amount) for name, amount in sums.items()))
            for currency, sums in sorted(plan.money.items())
        ],
        "approve": _approve(plan) if state == "needs_approval" and desk_user.may("settings") else None,
    }


def _approve(plan: Plan) -> Button:
    url = reverse("integrations:approve_plan", args=[plan.pk])
    return Button(f"approve-{plan.pk}", gettext("Approve"), url, tone="primary", about=gettext("this plan"))


def _row(row: PlanOperation, about: Subjects, desk_user: DeskUser) -> dict[str, Any]:
    record = about.get((row.kind, row.record_id))
    names = ("display_name", "name", "number", "title")
    named = next((str(value[1] or value[0]) for name in names if any(value := row.fields.get(name) or [])), "")
    there = PROVIDERS[row.connection.integration].label
    return {
        "title": str(record) if record is not None else named or row.remote_id,
        "url": page_of(record, desk_user) if record is not None else "",
        "kind": PLURALS.get(row.kind, row.kind),
        "is_new": row.action == PlanOperation.Action.CREATE,
        "does": PlanOperation.Action(row.action).label,
        "where": there if row.side == PlanOperation.Side.PROVIDER else "FieldCamp",
        "account": row.connection.account_name,
        "fields": [] if row.kind == "block" else [_field(row, name) for name in sorted(row.fields)],
    }


def _field(row: PlanOperation, name: str) -> dict[str, str]:
    before, after = (_text(shown(name, value)) for value in row.fields[name])
    return {"label": label_of(row.kind, name), "before": before, "after": after}


def _text(value: str | Table) -> str:
    """Returns a list of parts in one line."""
    return value if isinstance(value, str) else "; ".join(", ".join(filter(None, cells)) for cells in value.rows)
