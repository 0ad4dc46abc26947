"""Making plans and applying them, and what there is before and after."""

from django.apps import apps
from django.core import serializers as dump

from integrations.models import JobStatus, Plan, SyncJob
from integrations.services.plans import apply_plan
from tests.integrations.engine import finish

# What a dry run may write: itself, its plan, what its calls were and who has asked; and the company's secret.
ITS_OWN = {
    "SyncJob", "JobPart", "Plan", "PlanOperation", "JobCall", "DailyCalls", "ProviderBudget", "ProviderCalls",
    "OAuthGrant", "IdentifierKey",
}  # fmt: skip


def everything() -> dict[str, str]:
    """All that is stored, table by table; of what is told to others, all but that a sync has begun or ended."""
    models = [model for model in apps.get_models() if model.__name__ not in ITS_OWN and model._meta.managed]
    tables = {model.__name__: model._base_manager.order_by("pk") for model in models}
    tables["WebhookEvent"] = tables["WebhookEvent"].exclude(type__startswith="sync.")
    return {name: dump.serialize("json", rows) for name, rows in tables.items()}


def planned(sync, **fields) -> Plan:
    job = sync(dry_run=True, **fields)
    assert (job.status, job.errors) == (JobStatus.PLANNED, [])
    assert (job.pulled, job.pushed, job.skipped, job.failed) == (0, 0, 0, 0)
    return Plan.objects.get(job=job)


def does(plan: Plan) -> list[tuple[str, str, str]]:
    return sorted(plan.operations.values_list("side", "action", "kind"))


def begun(plan: Plan) -> SyncJob:
    return apply_plan(plan=plan, actor="test", triggered_by="api")


def applied(plan: Plan) -> SyncJob:
    return finish(begun(plan))
