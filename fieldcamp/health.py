"""/healthz: this process answers. /readyz: and so do the database and a worker behind the queue."""

import datetime as dt
from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.jobs.stalls import StandIn
from integrations.selectors.dashboard import queue_health

log = structlog.get_logger(__name__)

LONGEST_WAIT = dt.timedelta(minutes=5)


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Says that the process is up. Asks nobody else: restarting this process would not cure them."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answers 503 when the database does not answer, no worker's pulse came through lately, or a job waits too long."""
    try:
        queue = queue_health(timezone.now())
    except DatabaseError:
        log.exception("readyz_database")
        return JsonResponse({"status": "unavailable", "database": False}, status=503)
    waiting = queue.oldest_queued or dt.timedelta(0)
    ready = queue.working and waiting < LONGEST_WAIT
    return JsonResponse(
        {
            "status": "ok" if ready else "unavailable",
            "database": True,
            "worker_heartbeat_age_seconds": int(queue.heartbeat.total_seconds()) if queue.heartbeat else None,
            "oldest_queued_job_age_seconds": int(waiting.total_seconds()),
        },
        status=200 if ready else 503,
    )


class HealthChecks:
    """Answers both before anything else is asked of a request: whoever watches this process speaks to it by its address
    and without TLS, which for everybody else is the wrong name and a redirect. Requests also make this process look for
    what goes wrong where there is no worker to do it."""

    views = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response
        self.stand_in = StandIn()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self.stand_in()
        view = self.views.get(request.path_info)
        return view(request) if view else self.get_response(request)
