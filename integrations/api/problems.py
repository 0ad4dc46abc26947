"""Problems to read: all, one, and how many there are of each cause."""

import datetime as dt
from typing import Any

from django.db.models import Count, Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError
from fieldcamp.api.etags import tagged
from fieldcamp.api.examples import example
from fieldcamp.api.pagination import (
    decode_cursor,
    encode_cursor,
    fixed_parameters,
    instant_parameter,
    list_name,
    page_limit,
)
from fieldcamp.api.parameters import CURSOR, LIMIT, instant
from fieldcamp.api.views import ApiView
from integrations.api.naming import INTEGRATION, INTEGRATIONS, OF_CONNECTION, narrowed
from integrations.api.problem_examples import CAUSES_ANSWER, DETAIL, LIST
from integrations.api.problem_rows import READ_WITH, problem_detail, problem_rows
from integrations.api.problem_serializers import (
    CauseListSerializer,
    ProblemDetailSerializer,
    ProblemListSerializer,
)
from integrations.errors import ProblemCode
from integrations.models import Problem
from integrations.services.problems.causes import CAUSES, STATES, cause_of, in_state, of_cause
from integrations.services.problems.fixes import fix_of

_CODES = [code.value for code in ProblemCode]
_FIXED = {"integration": INTEGRATIONS, "code": _CODES, "cause": CAUSES, "state": STATES}


class ProblemView(ApiView):
    tag = "Problems"

    def rows(self) -> Any:
        return Problem.objects.filter(workspace=self.workspace)

    def problem(self, problem_id: str) -> Problem:
        found = self.rows().select_related(*READ_WITH).filter(pk=problem_id).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such problem.")
        return found


class ProblemListView(ProblemView):
    required_scopes = {"GET": "problems:read"}
    raises = {"GET": ("NOT_FOUND",)}

    @extend_schema(
        operation_id="list_problems",
        parameters=[
            INTEGRATION,
            OF_CONNECTION,
            OpenApiParameter("code", str, enum=_CODES),
            OpenApiParameter("cause", str, enum=CAUSES),
            OpenApiParameter("record_id", str, description="About this record, by its id in FieldCamp."),
            OpenApiParameter("state", str, enum=STATES, default="open"),
            instant("since", "Only what was seen, or settled, at or after this time."),
            CURSOR,
            LIMIT,
        ],
        responses=ProblemListSerializer,
        examples=[example(LIST)],
    )
    def get(self, request: Request) -> Response:
        """Problems, those first that were seen last: all that wait for somebody, with what can be answered to each.

        A problem that is seen again moves to the front; with `since` what has moved meanwhile is read."""
        filters, since, limit = _filters(request), instant_parameter(request, "since"), page_limit(request)
        rows = narrowed(self.rows(), self.workspace, filters["integration"], filters["connection_id"])
        rows = in_state(rows, filters["state"] or "open")
        if filters["code"]:
            rows = rows.filter(code=filters["code"])
        if filters["cause"]:
            rows = of_cause(rows, filters["cause"])
        if filters["record_id"] is not None:
            rows = rows.filter(Q(record_id=filters["record_id"]) | Q(data__payment=filters["record_id"]))
        if since is not None:
            rows = rows.filter(Q(occurred_at__gte=since) | Q(resolved_at__gte=since))
        name = list_name(request.path, self.workspace.pk, {**filters, "since": since})
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            rows = rows.filter(_before(decode_cursor(name, cursor)))
        found = list(rows.select_related(*READ_WITH).order_by("-occurred_at", "-id")[: limit + 1])
        page, more = found[:limit], len(found) > limit
        return Response(
            {
                "problems": problem_rows(page),
                "next_cursor": encode_cursor(name, [page[-1].occurred_at.isoformat(), page[-1].pk]) if more else None,
            }
        )


def _filters(request: Request) -> dict[str, str | None]:
    """Returns the filters as they were sent, None for each that was not; those with fixed values are checked."""
    free = {name: request.query_params.get(name) for name in ("connection_id", "record_id")}
    return fixed_parameters(request, _FIXED) | free


def _before(position: list[Any]) -> Q:
    at, problem_id = dt.datetime.fromisoformat(position[0]), position[1]
    # The first condition is implied by the second; it is the one that an index can use.
    return Q(occurred_at__lte=at) & (Q(occurred_at__lt=at) | Q(id__lt=problem_id))


class ProblemCausesView(ProblemView):
    required_scopes = {"GET": "problems:read"}
    raises = {"GET": ("NOT_FOUND",)}

    @extend_schema(
        operation_id="list_problem_causes",
        parameters=[INTEGRATION, OF_CONNECTION],
        responses=CauseListSerializer,
        examples=[example(CAUSES_ANSWER)],
    )
    def get(self, request: Request) -> Response:
        """How many open problems there are of each cause, account by account: what is answered or tried again
        together."""
        filters = _filters(request)
        rows = narrowed(self.rows().listed(), self.workspace, filters["integration"], filters["connection_id"])
        counted = rows.values("integration", "connection_id", "code", "data__reason", "record_kind")
        causes: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in counted.annotate(number=Count("pk")).order_by("integration", "connection_id", "code"):
            data = {"reason": row["data__reason"]} if row["data__reason"] else {}
            one = Problem(code=row["code"], record_kind=row["record_kind"], data=data)
            key = (row["integration"], row["connection_id"], row["code"], cause_of(one))
            named = dict(zip(("integration", "connection_id", "code", "cause"), key, strict=True))
            entry = causes.setdefault(key, {**named, "title": str(fix_of(one).title), "count": 0})
            entry["count"] += row["number"]
        return Response({"causes": list(causes.values())})


class OneProblemView(ProblemView):
    required_scopes = {"GET": "problems:read"}
    tagged_methods = ("GET",)

    @extend_schema(operation_id="read_problem", responses=ProblemDetailSerializer, examples=[example(DETAIL)])
    def get(self, request: Request, problem_id: str) -> Response:
        """One problem with both sides, the records there that may be the same, and the provider's own words.

        Its ETag changes with anything of that: with it as `If-Match` an answer is given only to what was seen."""
        return tagged(request, problem_detail(self.problem(problem_id)))
