"""What syncs hold back: read, confirmed and rejected, by the service of the desk's buttons."""

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError
from fieldcamp.api.etags import check_if_match, etag_of, tagged
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import fixed_parameters, keyset_page
from fieldcamp.api.parameters import CURSOR, LIMIT
from fieldcamp.api.views import ApiView
from integrations.api.acting import key_actor
from integrations.api.hold_serializers import (
    LIST,
    ROW,
    HoldDecidedSerializer,
    HoldDecisionSerializer,
    HoldListSerializer,
    HoldSerializer,
    decided_example,
)
from integrations.api.naming import INTEGRATION, INTEGRATIONS, OF_CONNECTION, narrowed
from integrations.models import Hold
from integrations.selectors.holds import HoldState, hold_rows, holds_of, in_state
from integrations.services.decisions import AlreadyDecided, HeldMeanwhile, decide_hold

STATES = tuple(HoldState)
_BY = ("stream__connection__integration", "stream__connection")


class HoldsView(ApiView):
    tag = "Holds"

    def one(self, hold_id: str) -> Hold:
        found = holds_of(self.workspace).filter(pk=hold_id).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such hold.")
        return found

    def row(self, hold_id: str) -> dict[str, Any]:
        return hold_rows([self.one(hold_id)])[0]


class HoldListView(HoldsView):
    required_scopes = {"GET": "problems:read"}
    raises = {"GET": ("NOT_FOUND",)}

    @extend_schema(
        operation_id="list_holds",
        parameters=[
            INTEGRATION,
            OF_CONNECTION,
            OpenApiParameter("state", str, enum=STATES, default=HoldState.OPEN.value),
            CURSOR,
            LIMIT,
        ],
        responses=HoldListSerializer,
        examples=[example(LIST)],
    )
    def get(self, request: Request) -> Response:
        """Removals that wait for somebody, those first that were held last; with `state` those that were decided."""
        fixed = {"integration": INTEGRATIONS, "state": STATES}
        filters = fixed_parameters(request, fixed) | {"connection_id": request.query_params.get("connection_id")}
        rows = in_state(holds_of(self.workspace), HoldState(filters["state"] or HoldState.OPEN))
        rows = narrowed(rows, self.workspace, filters["integration"], filters["connection_id"], by=_BY)
        page, meta = keyset_page(request, rows, filters=filters, order="-id")
        return Response({"holds": hold_rows(page), "next_cursor": meta["next_cursor"]})


class OneHoldView(HoldsView):
    required_scopes = {"GET": "problems:read"}
    tagged_methods = ("GET",)

    @extend_schema(operation_id="read_hold", responses=HoldSerializer, examples=[example(ROW)])
    def get(self, request: Request, hold_id: str) -> Response:
        """One hold. Its ETag changes with the number, the records that are shown, and the decision."""
        return tagged(request, self.row(hold_id))


class HoldDecisionView(HoldsView):
    required_scopes = {"POST": "problems:write"}
    idempotent_methods = ("POST",)
    conditional_methods = ("POST",)
    raises = {"POST": ("INVALID_TRANSITION", "PRECONDITION_FAILED")}
    decision: ClassVar[str]

    def decide(self, request: Request, hold_id: str) -> HttpResponseBase:
        body = HoldDecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        expected = body.validated_data["expected"]

        def check() -> None:
            found = self.one(hold_id)
            if found.decision != self.decision and "If-Match" in request.headers:
                check_if_match(request, etag_of(hold_rows([found])[0]))

        def run() -> IdempotentAnswer:
            try:
                decide_hold(hold=self.one(hold_id), decision=self.decision, user=key_actor(request), expected=expected)
            except HeldMeanwhile as refusal:
                raise ApiError("PRECONDITION_FAILED", str(refusal), details={"count": refusal.count}) from refusal
            except AlreadyDecided as refusal:
                if (decided := self.one(hold_id).decision) != self.decision:
                    details = {"decision": decided}
                    raise ApiError("INVALID_TRANSITION", str(refusal), details=details) from refusal
            data = self.row(hold_id)
            place = {"Location": reverse("integrations-job", args=[data["job_id"]])} if data["job_id"] else {}
            return IdempotentAnswer(202, {"hold": data, "job_id": data["job_id"]}, {"ETag": etag_of(data), **place})

        return replay_or_run(request, fingerprint_body=canonical({"expected": expected}), before=check, run=run)


class HoldConfirmView(HoldDecisionView):
    decision = Hold.Decision.CONFIRM

    @extend_schema(
        operation_id="confirm_hold",
        request=HoldDecisionSerializer,
        responses={202: HoldDecidedSerializer},
        examples=[
            example({"expected": 10}, request=True),
            example(decided_example(HoldState.CONFIRMED, "confirm"), status=202),
        ],
    )
    def post(self, request: Request, hold_id: str) -> HttpResponseBase:
        """The removals are meant: exactly these are made, by a job of their own. What is gone at the provider stays
        gone, and FieldCamp keeps its records and syncs them no more until they are edited; an event of ours without a
        record is taken away there. This cannot be taken back.

        If it holds another number than `expected` by now, it is 412 with `details.count`, and nothing is decided. What
        was rejected meanwhile is 409 with `details.decision`; what was confirmed already is answered as it was."""
        return self.decide(request, hold_id)


class HoldRejectView(HoldDecisionView):
    decision = Hold.Decision.REJECT

    @extend_schema(
        operation_id="reject_hold",
        request=HoldDecisionSerializer,
        responses={202: HoldDecidedSerializer},
        examples=[
            example({"expected": 10}, request=True),
            example(decided_example(HoldState.REJECTED, "reject"), status=202),
        ],
    )
    def post(self, request: Request, hold_id: str) -> HttpResponseBase:
        """The removals are not meant: what is gone at the provider is made again, exactly these, by a job of their own.

        If it holds another number than `expected` by now, it is 412 with `details.count`, and nothing is decided. What
        was confirmed meanwhile is 409 with `details.decision`; what was rejected already is answered as it was."""
        return self.decide(request, hold_id)
