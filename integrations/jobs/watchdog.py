"""Whether a django-q2 cluster still runs tasks.

A cluster can deadlock without dying: when an idle worker process is killed while it holds the queue's lock, all live
and nothing runs (https://github.com/django-q2/django-q2/issues/23). Its own status calls that alive, so the supervisor
sends tasks through the queue, pulses, and looks for what they have written.
"""

import datetime as dt

from django.db.models import Max
from django.utils import timezone
from django_q.tasks import async_task

from integrations.models import Heartbeat, SyncJob
from integrations.queue import shutdown
from integrations.queue.ring import queue_broker
from integrations.selectors.dashboard import WORKER

QUIET = dt.timedelta(seconds=25)
# With other clusters on the same queue, one that has run none of so many pulses in this time is not just unlucky.
UNLUCKY, UNLUCKY_PULSES = dt.timedelta(seconds=120), 10
MOST_WAITING = 4


def _beat(*names: str) -> None:
    now = timezone.now()
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=now) for name in names],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def executed() -> None:
    """Writes down that this process's cluster has taken a task off the queue."""
    if name := shutdown.cluster_name():
        _beat(f"ran:{name}")


def answer(sender: str) -> None:
    """Writes down that a pulse has run: it was `sender`'s, and it is our cluster that ran it."""
    ran = [f"ran:{shutdown.cluster_name()}"] if shutdown.cluster_name() else []
    _beat(WORKER, f"sent:{sender}", *ran)


class Watchdog:
    """Watches one cluster. `now` is an argument, so that tests need not wait."""

    def __init__(self, cluster: str, now: dt.datetime):
        self.cluster = cluster
        self.restarted(now)

    def restarted(self, now: dt.datetime) -> None:
        """Judges the cluster from here on: it is new, or could not be watched for a while."""
        self.since = now
        self.pulses: list[dt.datetime] = []

    def send(self, now: dt.datetime) -> None:
        """Sends a pulse, unless several wait already."""
        answered = self._at(f"sent:{self.cluster}")
        if sum(sent > answered for sent in self.pulses) < MOST_WAITING:
            async_task("integrations.jobs.tasks.pulse", self.cluster, broker=queue_broker())
            self.pulses.append(now)

    def is_stuck(self, now: dt.datetime) -> bool:
        """Returns whether nothing has run here for a while, although there was something to run."""
        alive = max(self.since, self._at(f"ran:{self.cluster}"), self._lease_renewed())
        self.pulses = [sent for sent in self.pulses if sent > alive]
        if not self.pulses or now - alive < QUIET:
            return False
        answered = self._at(f"sent:{self.cluster}")
        if answered < self.pulses[0]:
            return now - self.pulses[0] >= QUIET
        return now - alive >= UNLUCKY and len(self.pulses) >= UNLUCKY_PULSES

    def forget(self) -> None:
        Heartbeat.objects.filter(name__in=[f"sent:{self.cluster}", f"ran:{self.cluster}"]).delete()

    def _at(self, name: str) -> dt.datetime:
        return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first() or dt.datetime.min.replace(
            tzinfo=dt.UTC
        )

    def _lease_renewed(self) -> dt.datetime:
        running = SyncJob.objects.filter(lease_owner__startswith=self.cluster)
        return running.aggregate(at=Max("heartbeat_at"))["at"] or dt.datetime.min.replace(tzinfo=dt.UTC)
