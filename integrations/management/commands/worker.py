"""`manage.py worker`: the one worker command. Supervises a django-q2 cluster and keeps jobs and schedules moving."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone
from django_q.models import Schedule

from fieldcamp.webhooks.sender import Sender
from integrations.jobs import schedule, sweeper
from integrations.jobs.watchdog import Watchdog
from integrations.queue import shutdown

log = structlog.get_logger(__name__)

TICK = 10.0
LONGEST_PAUSE = 30.0


class Command(BaseCommand):
    help = "Runs jobs and schedules until SIGTERM or Ctrl-C. Start as many as you like, on as many machines."

    def add_arguments(self, parser):
        parser.add_argument("--cluster", action="store_true", help="the supervised part; started by this command")
        parser.add_argument("--webhooks", action="store_true", help="only hands events to webhooks and sends them")

    def handle(self, *args, cluster: bool, webhooks: bool, **options):
        if cluster:
            shutdown.watch()
            call_command("qcluster")
        elif webhooks:
            _send_webhooks()
        else:
            Supervisor().run()


def _send_webhooks() -> None:
    """Sends webhooks until SIGTERM or Ctrl-C; supervised, until the supervisor says so or is no more."""
    sender = Sender()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sender.stop())
    if shutdown.PIPE_VARIABLE in os.environ:
        shutdown.watch()
    sender.run()


class Cluster:
    """One django-q2 cluster in a process group of its own, and the pipe that tells it to stop."""

    part = "--cluster"

    def __init__(self) -> None:
        self.name = uuid4().hex[:12]
        self.started = time.monotonic()
        reading, self.pipe = os.pipe()
        environ = {**os.environ, shutdown.PIPE_VARIABLE: str(reading), shutdown.NAME_VARIABLE: self.name}
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", self.part],
            env=environ,
            pass_fds=[reading],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        os.close(reading)
        log.info("cluster_started", cluster=self.name, part=self.part, pid=self.process.pid)

    def ended(self) -> bool:
        """Returns whether its first process has ended; it is not reaped yet, so that its group's number stays taken."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ask_to_stop(self) -> None:
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    def kill(self) -> None:
        """Ends whatever is left of it, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.ask_to_stop()

    def stop(self, deadline: float) -> None:
        """Lets it finish or hand back what it has begun, until then, and ends it."""
        self.ask_to_stop()
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.kill()


class WebhookProcess(Cluster):
    """The process that sends webhooks: what takes a receiver long holds up no sync."""

    part = "--webhooks"


class Supervisor:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.pause = 1.0
        self.webhooks_pause, self.webhooks_due = 1.0, 0.0

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        cluster, webhooks = Cluster(), WebhookProcess()
        watchdog = Watchdog(cluster.name, timezone.now())
        self._guarded(_plan_regular_work)
        ticked = 0.0
        while not self.stopping.is_set():
            if cluster.ended():
                log.error("cluster_ended", cluster=cluster.name)
                cluster, watchdog = self._again(cluster, watchdog)
            webhooks = self._kept_alive(webhooks)
            if time.monotonic() - ticked >= TICK:
                ticked = time.monotonic()
                if self._guarded(self._tick, watchdog):
                    log.error("cluster_stuck", cluster=cluster.name)
                    cluster, watchdog = self._again(cluster, watchdog)
            self.stopping.wait(0.5)
        log.info("worker_stopping")
        webhooks.ask_to_stop()
        deadline = time.monotonic() + shutdown.GRACE
        cluster.stop(deadline)
        webhooks.stop(deadline)
        self._guarded(_clean_up, cluster.name, watchdog)

    def _kept_alive(self, webhooks: WebhookProcess) -> WebhookProcess:
        """Returns the process that sends webhooks: another one where it has ended, after a pause that grows while they
        keep dying early and that holds nothing else up."""
        if not webhooks.ended():
            return webhooks
        now = time.monotonic()
        if not self.webhooks_due:
            log.error("cluster_ended", cluster=webhooks.name, part=webhooks.part)
            early = now - webhooks.started <= 60
            self.webhooks_pause = min(self.webhooks_pause * 2, LONGEST_PAUSE) if early else 1.0
            self.webhooks_due = now + self.webhooks_pause
        if now < self.webhooks_due:
            return webhooks
        webhooks.kill()
        self.webhooks_due = 0.0
        return WebhookProcess()

    def _tick(self, watchdog: Watchdog) -> bool:
        """Does one round; whether the cluster has to be replaced."""
        now = timezone.now()
        sweeper.sweep(now)
        schedule.dispatch_due(now)
        if watchdog.is_stuck(now):
            return True
        watchdog.send(now)
        return False

    def _again(self, old: Cluster, watchdog: Watchdog) -> tuple[Cluster, Watchdog]:
        """Starts a new cluster in the old one's place, after a pause that grows while they keep dying early."""
        old.kill()
        self._guarded(_clean_up, old.name, watchdog)
        self.pause = 1.0 if time.monotonic() - old.started > 60 else min(self.pause * 2, LONGEST_PAUSE)
        self.stopping.wait(self.pause)
        new = Cluster()
        return new, Watchdog(new.name, timezone.now())

    def _guarded(self, action, *args):
        """Returns the action's answer; None when the database or the queue is away, which must not end the
        supervisor."""
        try:
            close_old_connections()
            return action(*args)
        except Exception:
            log.exception("supervisor_round_failed", action=getattr(action, "__name__", str(action)))
            for argument in args:
                if isinstance(argument, Watchdog):
                    argument.restarted(timezone.now())
            return None


def _clean_up(cluster: str, watchdog: Watchdog) -> None:
    sweeper.free_leases_of(cluster, timezone.now())
    watchdog.forget()


def _plan_regular_work() -> None:
    tomorrow = (timezone.now() + dt.timedelta(days=1)).replace(hour=3, minute=10, second=0, microsecond=0)
    soon = (timezone.now() + dt.timedelta(hours=1)).replace(minute=5, second=0, microsecond=0)
    for name, func, kind, first in (
        ("Daily work", "integrations.jobs.tasks.daily", Schedule.DAILY, tomorrow),
        ("Hourly work", "integrations.jobs.tasks.hourly", Schedule.HOURLY, soon),
        ("Vendors' outages", "integrations.jobs.tasks.minutely", Schedule.MINUTES, timezone.now()),
    ):
        if not Schedule.objects.filter(func=func).exists():
            Schedule.objects.create(name=name, func=func, schedule_type=kind, next_run=first)
