"""What whoever runs the site looks at: workers, waiting and running jobs, tasks that failed; of all companies."""

import datetime as dt
from dataclasses import dataclass

from django_q.models import Failure
from redis.exceptions import RedisError

from integrations.models import Heartbeat, JobStatus, SyncJob
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.queue.ring import queue_broker
from integrations.selectors.dashboard import QueueHealth, queue_health

ALIVE = dt.timedelta(seconds=60)
MOST = 20


@dataclass(frozen=True)
class QueueState:
    """`workers`: names and last signs of life, the latest first. `tasks`: None where the queue does not answer."""

    health: QueueHealth
    workers: list[tuple[str, dt.datetime, bool]]
    tasks: int | None
    waiting: list[SyncJob]
    running: list[SyncJob]
    failures: list[Failure]

    @property
    def alive(self) -> int:
        return sum(alive for _name, _at, alive in self.workers)


def queue_state(now: dt.datetime) -> QueueState:
    """Returns at most `MOST` rows of each; seven queries."""
    beats = Heartbeat.objects.filter(name__startswith="ran:").order_by("-at").values_list("name", "at")[:MOST]
    in_flight = SyncJob.objects.filter(IS_IN_FLIGHT).select_related("workspace").order_by("created_at")
    return QueueState(
        health=queue_health(now),
        workers=[(name.removeprefix("ran:"), at, now - at < ALIVE) for name, at in beats],
        tasks=_tasks(),
        waiting=list(in_flight.filter(status=JobStatus.QUEUED)[:MOST]),
        running=list(in_flight.filter(status=JobStatus.RUNNING)[:MOST]),
        failures=list(Failure.objects.order_by("-started").defer("args", "kwargs", "result")[:MOST]),
    )


def _tasks() -> int | None:
    try:
        return int(queue_broker().queue_size())
    except RedisError:
        return None
