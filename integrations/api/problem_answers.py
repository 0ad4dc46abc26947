"""Answering problems, trying them again and putting them away: as a person does at the desk, by the same services."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.etags import check_if_match, etag_of
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from integrations.api.acting import key_actor
from integrations.api.errors import as_api_errors
from integrations.api.naming import narrowed
from integrations.api.problem_examples import ANSWERED, ANSWERED_ALL, OF_CAUSE, PUT_AWAY, RETRIED, RETRIED_ALL
from integrations.api.problem_rows import problem_detail
from integrations.api.problem_serializers import (
    AllAnsweredSerializer,
    AllRetriedSerializer,
    AnswerAllSerializer,
    AnsweredSerializer,
    AnswerSerializer,
    OfCauseSerializer,
    ProblemDetailSerializer,
)
from integrations.api.problems import ProblemView
from integrations.api.serializers import EmptySerializer
from integrations.models import Problem
from integrations.services import decisions
from integrations.services.problems.answering import (
    REFUSALS,
    AllAnswered,
    Answered,
    CountChanged,
    NoSuchChoice,
    WrongValues,
    answer,
    answer_all,
    retry_all,
    try_one,
)
from integrations.services.problems.causes import of_cause

MOST_TOLD = 50  # of those that are left


@contextlib.contextmanager
def _as_api_errors() -> Iterator[None]:
    try:
        with as_api_errors():
            yield
    except NoSuchChoice as refusal:
        raise validation_error({"choice": [str(refusal)]}, str(refusal)) from refusal
    except WrongValues as refusal:
        details = {f"values.{name}": sentences for name, sentences in refusal.details.items()}
        raise validation_error(details) from refusal
    except CountChanged as refusal:
        raise ApiError("PRECONDITION_FAILED", str(refusal), details={"count": refusal.count}) from refusal
    except REFUSALS as refusal:
        raise ApiError("INVALID_TRANSITION", str(refusal)) from refusal


class ProblemActionView(ProblemView):
    required_scopes = {"POST": "problems:write"}
    idempotent_methods = ("POST",)

    def act(
        self, request: Request, body: Any, run: Callable[[], IdempotentAnswer], before: Callable[[], None] | None = None
    ) -> HttpResponseBase:
        def refused() -> IdempotentAnswer:
            with _as_api_errors():
                return run()

        return replay_or_run(request, fingerprint_body=canonical(body), before=before, run=refused)


class OneProblemActionView(ProblemActionView):
    conditional_methods = ("POST",)

    def act_on(self, request: Request, problem_id: str, body: Any, run: Callable[[Problem], Any]) -> HttpResponseBase:
        """Does it with the problem, if that is still what `If-Match` says, and answers with what it is then."""

        def check() -> None:
            found = self.problem(problem_id)
            if "If-Match" in request.headers:
                check_if_match(request, etag_of(problem_detail(found)))

        def done() -> IdempotentAnswer:
            came_of_it = run(self.problem(problem_id))
            data = problem_detail(self.problem(problem_id))
            tag = {"ETag": etag_of(data)}
            if isinstance(came_of_it, Answered):
                return IdempotentAnswer(202, *_told(came_of_it, data, tag))
            return IdempotentAnswer(200, data, tag)

        return self.act(request, body, done, before=check)


def _told(came_of_it: Answered, data: dict[str, Any], tag: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    job = came_of_it.job
    outcome = "queued" if job else "waiting" if came_of_it.waits else "settled"
    return {"problem": data, "outcome": outcome, "job_id": job.pk if job else None}, {**tag, **_place(job)}


def _place(job: Any) -> dict[str, str]:
    return {"Location": reverse("integrations-job", args=[job.pk])} if job else {}


class ProblemAnswerView(OneProblemActionView):
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="answer_problem",
        request=AnswerSerializer,
        responses={202: AnsweredSerializer},
        examples=[
            example({"choice": "keep_fieldcamp"}, request=True, name="A choice"),
            example({"choice": "by_field", "values": {"start": "provider", "title": "fieldcamp"}}, request=True,
                    name="A side for each field"),
            example({"choice": "new", "values": {"name": "Kim Reed (Oak St)"}}, request=True, name="Another one"),
            example(ANSWERED, status=202),
        ],
    )  # fmt: skip
    def post(self, request: Request, problem_id: str) -> HttpResponseBase:
        """Answers a problem with one of its choices. It is tried at once, by a job about just what it concerns.

        What was settled or answered meanwhile is 409. With `If-Match` it is 412 where the problem is not what was seen:
        its sides, its choices or how many removals it holds.

        The scope is enough for each choice, also for those that cancel a visit or void a document: ask a person before
        one is sent that is `dangerous`."""
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)

        def run(problem: Problem) -> Answered:
            return answer(
                problem=problem, choice=sent["choice"], values=sent.get("values", {}), user=key_actor(request)
            )

        return self.act_on(request, problem_id, sent, run)


class ProblemRetryView(OneProblemActionView):
    raises = {"POST": ("INVALID_TRANSITION", "INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS")}

    @extend_schema(
        operation_id="retry_problem",
        request=EmptySerializer,
        responses={202: AnsweredSerializer},
        examples=[example({}, request=True), example(RETRIED, status=202)],
    )
    def post(self, request: Request, problem_id: str) -> HttpResponseBase:
        """Tries a problem again, after what was wrong has been corrected. Where it says `can_retry: false` it is 409:
        somebody has to answer it first. One of a whole account syncs that account, which is 409 where the company wants
        plans approved."""
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        return self.act_on(request, problem_id, {}, lambda problem: try_one(problem=problem, user=key_actor(request)))


class ProblemIgnoreView(OneProblemActionView):
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="ignore_problem",
        request=EmptySerializer,
        responses=ProblemDetailSerializer,
        examples=[example({}, request=True), example(PUT_AWAY)],
    )
    def post(self, request: Request, problem_id: str) -> HttpResponseBase:
        """Takes a problem off the list until it changes. Twice is harmless; a settled one is 409."""
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        return self.act_on(request, problem_id, {}, self._ignore)

    def _ignore(self, problem: Problem) -> None:
        if problem.resolved_at is not None:
            raise decisions.AlreadyDecided
        if problem.ignored_at is None:
            decisions.ignore(problem=problem, user=key_actor(self.request))


class ProblemUnignoreView(OneProblemActionView):
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="unignore_problem",
        summary="Take a problem's ignoring back",
        request=EmptySerializer,
        responses=ProblemDetailSerializer,
        examples=[example({}, request=True), example({**PUT_AWAY, "state": "open"})],
    )
    def post(self, request: Request, problem_id: str) -> HttpResponseBase:
        """Brings an ignored problem back. Twice is harmless; a settled one is 409."""
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        return self.act_on(request, problem_id, {}, self._unignore)

    def _unignore(self, problem: Problem) -> None:
        if problem.resolved_at is not None:
            raise decisions.AlreadyDecided
        if problem.ignored_at is not None:
            decisions.unignore(problem=problem, user=key_actor(self.request))


class AllOfCauseView(ProblemActionView):
    def of(self, sent: Mapping[str, Any]) -> QuerySet[Problem]:
        """Returns the open problems that the body speaks of."""
        rows = narrowed(self.rows().listed(), self.workspace, sent["integration"], sent.get("connection_id"))
        rows = of_cause(rows, sent["cause"])
        return rows.filter(code=sent["code"]) if "code" in sent else rows


def _all_told(name: str, came_of_it: AllAnswered) -> IdempotentAnswer:
    left, job = came_of_it.left, came_of_it.job
    told = [{"id": problem_id, "why": why} for problem_id, why in list(left.items())[:MOST_TOLD]]
    data = {name: came_of_it.done, "left": len(left), "left_problems": told, "job_id": job.pk if job else None}
    return IdempotentAnswer(202, data, _place(job))


class ProblemsAnswerView(AllOfCauseView):
    raises = {"POST": ("NOT_FOUND", "PRECONDITION_FAILED")}

    @extend_schema(
        operation_id="answer_problems",
        request=AnswerAllSerializer,
        responses={202: AllAnsweredSerializer},
        examples=[example({**OF_CAUSE, "choice": "same"}, request=True), example(ANSWERED_ALL, status=202)],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Gives one answer to all open problems of a cause, in one sync. `expected` is how many the caller has seen: if
        there are others now, it is 412 with `details.count`, and nothing is done.

        Those that do not have the choice are left, and those that somebody was faster with. `same` links clients and
        items only where the two agree so well that it stands out, and can be taken back at the desk for seven days. Of
        other answers 200 are given by one call; send it again for the rest."""
        body = AnswerAllSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)

        def run() -> IdempotentAnswer:
            came_of_it = answer_all(
                problems=self.of(sent), choice=sent["choice"], expected=sent["expected"], user=key_actor(request)
            )
            return _all_told("answered", came_of_it)

        return self.act(request, sent, run)


class ProblemsRetryView(AllOfCauseView):
    raises = {"POST": ("NOT_FOUND", "PRECONDITION_FAILED", "INVALID_TRANSITION", "INTEGRATION_NOT_CONNECTED")}

    @extend_schema(
        operation_id="retry_problems",
        request=OfCauseSerializer,
        responses={202: AllRetriedSerializer},
        examples=[
            example({**OF_CAUSE, "cause": "inactive_reference"}, request=True),
            example(RETRIED_ALL, status=202),
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Tries all open problems of a cause again, in one sync, after what was wrong has been corrected. `expected` is
        how many the caller has seen: if there are others now, it is 412 with `details.count`, and nothing is done.
        Where the company wants plans approved, it is 409."""
        body = OfCauseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)

        def run() -> IdempotentAnswer:
            found = retry_all(problems=self.of(sent), expected=sent["expected"], user=key_actor(request))
            return _all_told("retried", found)

        return self.act(request, sent, run)
