"""A site that the sandbox's vendors push to, and the worker's rounds in this process."""

import pytest
from django.test import Client
from django.utils import timezone

from integrations.jobs import schedule
from integrations.models import JobStatus, SyncJob
from integrations.push import keeper
from integrations.push.dispatching import dispatch_prompt
from integrations.push.silence import judge_silence
from integrations.push.tending import tend_due
from tests.faketime import ProcessClock
from tests.integrations.engine import finish
from tests.sandboxed import Vendors


class PushedSite:
    """What the worker does, second by second; `jobs` are those that it has started, in order."""

    def __init__(self, vendors: Vendors, clock: ProcessClock):
        self.vendors, self.clock = vendors, clock
        self.jobs: list[SyncJob] = []

    def open(self) -> None:
        """Channels are opened, and what that makes due is looked at."""
        keeper.prepare(timezone.now())
        while tend_due():
            pass
        self.passes(60, step=15)
        self.jobs.clear()

    def passes(self, seconds: float, step: float = 2) -> None:
        """Time passes, at the vendor's and here; the doorbell is heard, and jobs are run."""
        for _ in range(max(1, round(seconds / step))):
            self.clock.move(step)
            self.vendors.drain()
            dispatch_prompt(timezone.now(), everything=False)
            self.run()

    def run(self) -> None:
        for job in SyncJob.objects.filter(status=JobStatus.QUEUED).order_by("created_at"):
            self.jobs.append(finish(job))

    def scheduled(self) -> None:
        """The next round in which a scheduled sync is due."""
        for row in schedule.WorkspaceIntegration.objects.exclude(next_sync_at=None):
            self.clock.reach(row.next_sync_at)
        self.clock.move(1)
        schedule.dispatch_due(timezone.now())
        self.run()
        self.clock.move(16 * 60)
        judge_silence(timezone.now())


@pytest.fixture
def pushed(settings, vendors, clock, client: Client) -> PushedSite:
    settings.PUBLIC_URL = "https://sync.example.com"
    vendors.deliver_to(Client(raise_request_exception=True))
    return PushedSite(vendors, clock)
