"""Plans: what a dry run has found that a sync would do, its approval, and a job that does just that."""

import contextlib
from collections.abc import Callable, Iterator

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import keyset_page
from fieldcamp.api.parameters import CURSOR, LIMIT
from fieldcamp.api.views import ApiView
from integrations.api.acting import key_actor
from integrations.api.errors import as_api_errors
from integrations.api.plan_serializers import APPLIED, APPROVED, PLAN, PlanHeadSerializer, PlanSerializer
from integrations.api.serializers import EmptySerializer, TriggerAnswerSerializer
from integrations.ledger.plans import told
from integrations.models import Plan, SyncJob
from integrations.records import instant
from integrations.selectors.jobs import trigger_answer
from integrations.selectors.plans import operation_rows, operations_of, plan_head
from integrations.services.plans import PlanExpired, PlanMoved, PlanRefused, apply_plan, approve_plan


@contextlib.contextmanager
def _as_api_errors() -> Iterator[None]:
    try:
        with as_api_errors():
            yield
    except PlanExpired as refusal:
        details = {"expires_at": instant(refusal.plan.expires_at)}
        raise ApiError("PRECONDITION_FAILED", str(refusal), details=details) from refusal
    except PlanMoved as refusal:
        raise ApiError("PRECONDITION_FAILED", str(refusal), details={"changed": told(refusal.changed)}) from refusal
    except PlanRefused as refusal:
        raise ApiError("INVALID_TRANSITION", str(refusal)) from refusal


class OnePlanView(ApiView):
    tag = "Plans"

    def plan(self, plan_id: str) -> Plan:
        found = Plan.objects.filter(pk=plan_id, workspace=self.workspace).select_related("job").first()
        if found is None or not found.is_complete:
            raise ApiError("NOT_FOUND", "There is no such plan. They are kept for a day.")
        return found

    def act(self, request: Request, plan_id: str, run: Callable[[], IdempotentAnswer]) -> HttpResponseBase:
        """Does it once, however often it is sent with one key. There is nothing in the body."""
        EmptySerializer(data=request.data).is_valid(raise_exception=True)

        def look() -> None:
            self.plan(plan_id)

        def refused() -> IdempotentAnswer:
            with _as_api_errors():
                return run()

        return replay_or_run(request, fingerprint_body=canonical({}), before=look, run=refused)


class PlanView(OnePlanView):
    required_scopes = {"GET": "integrations:read"}

    @extend_schema(
        operation_id="read_plan", parameters=[CURSOR, LIMIT], responses=PlanSerializer, examples=[example(PLAN)]
    )
    def get(self, request: Request, plan_id: str) -> Response:
        """What a sync would have done when the plan was made: how much, with which money, and each operation.

        `fields` has what is changed of a record as `[from, to]`. An id that is still to be made there stands as
        `new:` and the id of FieldCamp's record. Of what blocks somebody's time nothing but the time is told."""
        plan = self.plan(plan_id)
        page, meta = keyset_page(request, operations_of(plan), filters={}, order="number")
        return Response(
            {
                **plan_head(plan, timezone.now()),
                "operations": operation_rows(plan, page),
                "next_cursor": meta["next_cursor"],
            }
        )


class PlanApplyView(OnePlanView):
    required_scopes = {"POST": "integrations:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("PRECONDITION_FAILED", "INVALID_TRANSITION", "INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS")}

    @extend_schema(
        operation_id="apply_plan",
        request=EmptySerializer,
        responses={202: TriggerAnswerSerializer},
        examples=[example({}, request=True), example(APPLIED, status=202)],
    )
    def post(self, request: Request, plan_id: str) -> HttpResponseBase:
        """Starts a job that makes exactly the operations of the plan. Sent again it answers with the same job.

        A plan is good for an hour. Where records were saved in FieldCamp since, it is 412 with `details.changed`. The
        provider is asked by the job, before it writes anything: where something has moved there, the job ends `failed`
        with `PRECONDITION_FAILED`, the same details in `errors[]`, and nothing was written. What moves later than that
        is left as it is, and the job ends `partial`.

        Where the company wants plans approved it is 409 until then. That is about syncs that keys start: the schedule
        goes on, and so does what a key decides about single problems and holds, which is another right."""

        def run() -> IdempotentAnswer:
            job = apply_plan(
                plan=self.plan(plan_id),
                triggered_by=SyncJob.Trigger.API,
                actor=self.key.pk,
                request_id=getattr(request, "request_id", ""),
            )
            return IdempotentAnswer(202, trigger_answer(job), {"Location": reverse("integrations-job", args=[job.pk])})

        return self.act(request, plan_id, run)


class PlanApproveView(OnePlanView):
    required_scopes = {"POST": "integrations:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("PRECONDITION_FAILED", "INVALID_TRANSITION")}

    @extend_schema(
        operation_id="approve_plan",
        request=EmptySerializer,
        responses=PlanHeadSerializer,
        examples=[example({}, request=True), example(APPROVED)],
    )
    def post(self, request: Request, plan_id: str) -> HttpResponseBase:
        """Approves a plan that another key has made; twice is harmless. The key that has made it may not (409), nor one
        of its family: what it comes from, and what comes from it. A person does the same on the plan's page."""

        def run() -> IdempotentAnswer:
            plan = approve_plan(plan=self.plan(plan_id), actor=key_actor(request), key=self.key)
            return IdempotentAnswer(200, plan_head(plan, timezone.now()))

        return self.act(request, plan_id, run)
