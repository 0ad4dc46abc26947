"""What can be done with a plan: apply it, approve it, and have plans asked for in the first place."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from fieldcamp.api.family import makers
from fieldcamp.api.models import ApiKey
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor
from integrations.ledger.planned import standing_of
from integrations.ledger.plans import LIVES, dirty_since
from integrations.models import Plan, Stream, SyncJob, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.enqueue import create_job
from integrations.queue.planning import integration_of
from integrations.records import instant
from integrations.selectors.plans import approves_plans
from integrations.services.jobs import check_trigger


class PlanExpired(Exception):
    """It was made too long ago."""

    def __init__(self, plan: Plan):
        self.plan = plan
        minutes = int(LIVES.total_seconds() // 60)
        super().__init__(
            f"This plan was good until {instant(plan.expires_at)}, {minutes} minutes from when it was made. Make a new "
            "one."
        )


class PlanMoved(Exception):
    """Records that it is about were saved since: `changed`."""

    def __init__(self, changed: list[str]):
        self.changed = changed
        super().__init__(
            f"{len(changed)} of the records that a sync is about were saved since this plan was made. Nothing was "
            "done; make a new plan."
        )


class PlanRefused(Exception):
    """It may not be done with this plan, or not by this caller."""


class NeedsPlan(Exception):
    """The company wants a plan first, and somebody else's approval."""

    def __init__(self, integration: str):
        super().__init__(
            f"Syncs of {PROVIDERS[integration].label} that an API key starts need an approval here. Send "
            '{"dry_run": true}, have the plan approved, and apply it.'
        )


def check_plain_trigger(workspace: Workspace, integration: str) -> None:
    """Raises NeedsPlan where a key may start nothing but what was planned and approved."""
    if approves_plans(workspace.pk, integration):
        raise NeedsPlan(integration)


def apply_plan(*, plan: Plan, actor: str, triggered_by: str, request_id: str = "") -> SyncJob:
    """Starts a job that does what the plan says, and nothing else; of one that was applied already returns that job.
    Raises PlanExpired, PlanMoved, PlanRefused, and what a trigger raises.

    FieldCamp's side is compared here; the provider's is asked by the job before it writes anything, as that may take
    longer than a request may."""
    with transaction.atomic():
        plan = (
            Plan.objects.select_for_update(of=("self",)).select_related("job__connection", "workspace").get(pk=plan.pk)
        )
        if plan.applied_by is not None:
            return plan.applied_by
        if plan.expires_at <= timezone.now():
            raise PlanExpired(plan)
        if approves_plans(plan.workspace_id, plan.integration) and plan.approved_at is None:
            raise PlanRefused("This plan waits for the approval of another key or of a person at the desk.")
        made_by = plan.job
        check_trigger(plan.workspace, plan.integration, made_by.connection)
        if changed := dirty_since(plan, standing_of(Stream.objects.filter(pk__in=list(plan.standing)))):
            raise PlanMoved(changed)
        plan.applied_by = create_job(
            workspace=plan.workspace,
            integration=plan.integration,
            mode=made_by.mode,
            scope=made_by.scope,
            connection=made_by.connection,
            triggered_by=triggered_by,
            actor=actor,
            request_id=request_id,
            applies=plan.pk,
        )
        plan.save(update_fields=["applied_by"])
    return plan.applied_by


def approve_plan(*, plan: Plan, actor: Actor, key: ApiKey | None = None) -> Plan:
    """Approves a plan, once. The key that has made it may not, nor one that it comes from, or that comes from it, or
    from the same. Raises PlanExpired and PlanRefused."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update(of=("self",)).select_related("job").get(pk=plan.pk)
        if key is not None and _family(key) == _family_of(plan.job.actor):
            raise PlanRefused("A plan is approved by another key, or by a person at the desk: this one has made it.")
        if plan.approved_at is not None:
            return plan
        if plan.applied_by_id is not None:
            raise PlanRefused("This plan has been applied already.")
        if plan.expires_at <= timezone.now():
            raise PlanExpired(plan)
        plan.approved_at, plan.approved_by = timezone.now(), actor.get_username()[:200]
        plan.save(update_fields=["approved_at", "approved_by"])
        audit(
            "plan.approved",
            workspace_id=plan.workspace_id,
            object_id=plan.pk,
            object_name=PROVIDERS[plan.integration].label,
            before={},
            after={"operations": plan.counts.get("operations", 0), "made_by": plan.job.actor},
            actor=actor.get_username(),
        )
    return plan


def _family(key: ApiKey) -> str:
    """Returns the first of the keys that this one comes from, or itself."""
    line = makers(key)
    return line[-1].pk if line else key.pk


def _family_of(actor: str) -> str:
    key = ApiKey.objects.filter(pk=actor).first()
    return _family(key) if key else actor


def set_approval(
    *, workspace: Workspace, integration: str, wanted: bool, user: AbstractBaseUser
) -> WorkspaceIntegration:
    """Says whether what keys start needs a plan that somebody else has approved."""
    row = integration_of(workspace, integration)
    with transaction.atomic():
        row = WorkspaceIntegration.objects.select_for_update().get(pk=row.pk)
        if row.approves_plans != wanted:
            before, row.approves_plans = row.approves_plans, wanted
            row.save(update_fields=["approves_plans"])
            audit(
                "integration.approval_changed",
                workspace_id=workspace.pk,
                object_id=integration,
                object_name=PROVIDERS[integration].label,
                before={"approves_plans": before},
                after={"approves_plans": wanted},
                actor=user.get_username(),
            )
    return row
