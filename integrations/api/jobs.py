"""Jobs: what a trigger's answer is polled with."""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError
from fieldcamp.api.etags import tagged
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import (
    decode_cursor,
    encode_cursor,
    fixed_parameters,
    list_name,
    page_limit,
    truth_parameter,
)
from fieldcamp.api.parameters import CURSOR, LIMIT, truth
from fieldcamp.api.views import ApiView
from integrations.api.errors import as_api_errors
from integrations.api.naming import INTEGRATION, INTEGRATIONS, name_of
from integrations.api.reference import BOOKS_JOB, JOB, JOB_LIST
from integrations.api.serializers import EmptySerializer, JobListSerializer, JobSerializer
from integrations.models import JobStatus, SyncJob
from integrations.selectors.jobs import job_descriptor, job_summaries, jobs_of
from integrations.services.jobs import cancel_job

_CHOICES = {"status": JobStatus.values, "mode": SyncJob.Mode.values, "triggered_by": SyncJob.Trigger.values}


class JobListView(ApiView):
    tag = "Jobs"
    required_scopes = {"GET": "integrations:read"}
    tagged_methods = ("GET",)

    @extend_schema(
        operation_id="list_jobs",
        parameters=[
            INTEGRATION,
            *(OpenApiParameter(name, str, enum=values) for name, values in _CHOICES.items()),
            truth("dry_run", "Only dry runs, or only what is none."),
            CURSOR,
            LIMIT,
        ],
        responses=JobListSerializer,
        examples=[example(JOB_LIST)],
    )
    def get(self, request: Request) -> Response:
        """The workspace's jobs, newest first."""
        filters = _filters(request)
        limit = page_limit(request)
        jobs = jobs_of(self.workspace, **filters)
        name = list_name(request.path, self.workspace.pk, filters)
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            jobs = jobs.filter(_before(decode_cursor(name, cursor)))
        found = list(jobs[: limit + 1])
        page, more = found[:limit], len(found) > limit
        return tagged(
            request,
            {
                "jobs": job_summaries(page),
                "next_cursor": encode_cursor(name, [page[-1].created_at.isoformat(), page[-1].pk]) if more else None,
            },
        )


def _filters(request: Request) -> dict[str, Any]:
    """Returns the filters as `jobs_of` takes them, checked."""
    given = fixed_parameters(request, {"integration": INTEGRATIONS, **_CHOICES})
    texts = {name: value or "" for name, value in given.items()}
    integration = name_of(texts["integration"]) if texts["integration"] else ""
    return {**texts, "integration": integration, "dry_run": truth_parameter(request, "dry_run")}


def _before(position: list[Any]) -> Q:
    at, job_id = dt.datetime.fromisoformat(position[0]), position[1]
    # The first condition is implied by the second; it is the one that an index can use.
    return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__lt=job_id))


class OneJobView(ApiView):
    tag = "Jobs"

    def job(self, job_id: str) -> SyncJob:
        found = SyncJob.objects.filter(pk=job_id, workspace=self.workspace).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such job.")
        return found


class JobView(OneJobView):
    required_scopes = {"GET": "integrations:read"}
    tagged_methods = ("GET",)

    @extend_schema(
        operation_id="read_job", responses=JobSerializer, examples=[example(JOB), example(BOOKS_JOB, name="Books")]
    )
    def get(self, request: Request, job_id: str) -> Response:
        """All that is known of one job. Poll it with `If-None-Match`: 304 while nothing has changed."""
        return tagged(request, job_descriptor(self.job(job_id)))


class JobCancelView(OneJobView):
    required_scopes = {"POST": "integrations:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("JOB_FINISHED",)}

    @extend_schema(
        operation_id="cancel_job",
        request=EmptySerializer,
        responses={202: JobSerializer},
        examples=[example({}, request=True), example({**JOB, "status": "cancelled"}, status=202)],
    )
    def post(self, request: Request, job_id: str) -> HttpResponseBase:
        """Ends a job that waits; asks a running one to stop after the provider call that it is in."""
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        job = self.job(job_id)

        def cancel() -> IdempotentAnswer:
            with as_api_errors():
                found = cancel_job(job=job, actor=self.key.pk)
            return IdempotentAnswer(
                202, job_descriptor(found), {"Location": reverse("integrations-job", args=[found.pk])}
            )

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=cancel)
