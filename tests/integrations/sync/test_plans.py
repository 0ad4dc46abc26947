"""Plans of a calendar: made without a trace, applied as they were made, or not at all."""

import datetime as dt

import pytest
from django.apps import apps
from django.core import serializers as dump

from integrations.models import JobStatus, Plan, SyncJob
from integrations.services.jobs import trigger_sync
from tests.integrations.engine import counts, finish

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

# What a dry run may write: itself, its plan, and what its calls were.
ITS_OWN = {
    "SyncJob", "JobPart", "Plan", "PlanOperation", "JobCall", "DailyCalls", "ProviderBudget", "ProviderCalls",
    "IdentifierKey", "OAuthGrant", "Session", "WebhookEvent",
}  # fmt: skip


def everything() -> dict[str, str]:
    """All that is stored, table by table."""
    tables = [model for model in apps.get_models() if model.__name__ not in ITS_OWN and model._meta.managed]
    return {model.__name__: dump.serialize("json", model._base_manager.order_by("pk")) for model in tables}


def planned(sync, **fields) -> Plan:
    job = sync(dry_run=True, **fields)
    assert job.status == JobStatus.PLANNED, job.errors
    assert counts(job) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
    return Plan.objects.get(job=job)


def does(plan: Plan) -> list[tuple[str, str, str]]:
    return sorted(plan.operations.values_list("side", "action", "kind"))


def apply(plan: Plan) -> SyncJob:
    job = trigger_sync(
        workspace=plan.workspace, integration=plan.integration, applies=plan.pk, mode=plan.job.mode,
        triggered_by="api", actor="test",
    )  # fmt: skip
    return finish(job)


def test_a_plan_leaves_no_trace_and_is_applied_exactly(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 3)
    person.add("Dentist", visits[0].scheduled_start + dt.timedelta(days=3))
    before, calls = everything(), len(person.vendors.requests())
    plan = planned(sync)
    assert everything() == before
    assert person.ours() == {}
    assert does(plan) == [("fieldcamp", "create", "block"), *[("provider", "create", "visit")] * 3]
    job = apply(plan)
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, {"pulled": 1, "pushed": 3, "skipped": 0, "failed": 0})
    assert set(person.ours()) == {visit.pk for visit in visits}
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
