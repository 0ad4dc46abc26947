"""The only place that knows both the ORM and the providers: puts a run together."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from integrations.accounts.grants import client_for
from integrations.books import SIDES
from integrations.calendar.visits import Side, VisitsOfStream
from integrations.ledger.stream import StreamLedger
from integrations.models import Connection, Direction, JobPart, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import ProviderClient
from integrations.queue.lease import Lease
from integrations.records import Window
from integrations.sync.policy import Policy
from integrations.sync.ports import Progress, Target
from integrations.sync.run import StreamRun


def window_at(now: dt.datetime) -> Window:
    """The time that is synced, from whole days so that a day's runs look at the same."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(
        midnight - dt.timedelta(days=settings.SYNC_WINDOW_PAST_DAYS),
        midnight + dt.timedelta(days=settings.SYNC_WINDOW_FUTURE_DAYS + 1),
    )


def open_remote(connection: Connection, **kwargs: Any) -> ProviderClient:
    """The connection's account at its provider; `kwargs` go to `transport.Client`."""
    provider = PROVIDERS[connection.integration]
    return provider.open(client_for(connection, provider, **kwargs), connection.account_id)


def side_of(stream: Stream, window: Window) -> Side:
    """FieldCamp's side of a calendar, or of one kind of the books' records."""
    return SIDES[stream.kind](stream, window) if stream.kind else VisitsOfStream(stream, window)


def policy_of(stream: Stream, job: SyncJob) -> Policy:
    return Policy(
        pulls=stream.direction != Direction.PUSH,
        pushes=stream.direction != Direction.PULL,
        winner=stream.policy,  # type: ignore[arg-type]
        full=job.mode == SyncJob.Mode.FULL,
        first=stream.first_synced_at is None,
    )


def stream_run(
    stream: Stream,
    job: SyncJob,
    part: JobPart,
    lease: Lease,
    remote: ProviderClient,
    breathe: Callable[[], None],
) -> StreamRun:
    provider = PROVIDERS[job.integration]
    window = window_at(timezone.now())
    local = side_of(stream, window)
    policy = policy_of(stream, job)
    stored = part.progress.get(stream.pk)
    return StreamRun(
        target=Target(stream.pk, job.workspace_id, stream.container_id),
        ledger=StreamLedger(stream, job, part, lease, local),
        local=local,
        remote=remote,
        policy=policy,
        window=window,
        capabilities=provider.capabilities,
        make_id=provider.make_id,
        # What a full run has not finished (the first one, or after other choices) is owed: the next is full again.
        progress=Progress(**stored) if stored else replace(Progress(), full=policy.full or stream.window_end is None),
        breathe=breathe,
        sleep=time.sleep,
        now=timezone.now,
    )
