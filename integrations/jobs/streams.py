"""The only place that knows both the ORM and the providers: puts a run together."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from integrations.accounts.leaving import begin_leaving
from integrations.accounts.streams import owes_full, policy_of, side_of
from integrations.books.base import BooksSide
from integrations.books.facts import facts_are_due, take_facts, taxes_are_wanted
from integrations.books.taxes import Taxes
from integrations.calendar import busy
from integrations.calendar.window import window_at
from integrations.errors import Misconfigured, ProviderError
from integrations.ledger.ports import LocalSide
from integrations.ledger.stream import StreamLedger
from integrations.models import JobPart, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import BooksClient, ProviderClient
from integrations.records import Window
from integrations.sync.isolation import RunEnds
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import Gate, RunProgress, Target, all_of_them
from integrations.sync.run import StreamRun

# What ends a run and is no record's fault: an account's trouble, a lease that is lost, a database that is away.
FATAL = (ProviderError, RunEnds, OperationalError, InterfaceError)
CAREFUL_AFTER = 3  # attempts: then the run goes record by record


# Where an account is left, and nothing is done but that.
LEAVING = SyncPolicy(pulls=False, full=True)


def stream_run(
    stream: Stream,
    job: SyncJob,
    part: JobPart,
    assert_held: Callable[[], None],
    remote: ProviderClient,
    checkpoint: Callable[[], None],
    gate: Gate = all_of_them,
    side: Callable[[Stream, Window], LocalSide] = side_of,
) -> StreamRun:
    provider = PROVIDERS[job.integration]
    window = window_at(timezone.now())
    local = side(stream, window)
    leaving = stream.connection.leaving is not None
    policy = LEAVING if leaving else policy_of(stream, full=job.mode == SyncJob.Mode.FULL)
    stored = None if leaving else part.progress.get(stream.pk)
    if leaving:
        with transaction.atomic():
            assert_held()
            begin_leaving(stream)
    if isinstance(local, Taxes) and (provider.covers(job.scope) == (stream.kind,) or taxes_are_wanted(local)):
        cast(BooksClient, remote).want(stream.container_id)
    ledger = _ledger(stream, job, part, assert_held, local)
    return StreamRun(
        target=Target(stream.pk, job.workspace_id, stream.container_id),
        ledger=ledger,
        local=local,
        remote=ledger.calls.through(remote),
        policy=policy,
        window=window,
        batch_size=provider.batch_size,
        make_id=provider.make_id,
        progress=RunProgress(**stored) if stored else replace(RunProgress(), full=policy.full or owes_full(stream)),
        checkpoint=checkpoint,
        sleep=time.sleep,
        now=timezone.now,
        fatal=FATAL,
        gate=gate,
        careful=job.attempts >= CAREFUL_AFTER,
        is_writable=lambda: _may_be_written(remote, stream.container_id),
        before_push=lambda: _read_facts(local, remote, assert_held),
    )


def _may_be_written(remote: ProviderClient, container_id: str) -> bool:
    return any(each.id == container_id and each.writable for each in remote.containers(container_id))


def _ledger(
    stream: Stream, job: SyncJob, part: JobPart, assert_held: Callable[[], None], local: LocalSide
) -> StreamLedger:
    """Returns what the stream remembers; of its busy time nothing, where nobody can read any more what that was known
    by."""
    with contextlib.suppress(DecryptionError):
        return StreamLedger(stream, job, part, assert_held, local)
    with transaction.atomic():
        assert_held()
        busy.begin_anew(stream.connection)
    try:
        return StreamLedger(stream, job, part, assert_held, local)
    except DecryptionError as error:
        raise Misconfigured(str(error)) from None  # the operator's fault: nobody has to reconnect


def _read_facts(local: LocalSide, remote: ProviderClient, assert_held: Callable[[], None]) -> None:
    """Books: asks what the company is like now, where that decides what is written or taken in."""
    if not isinstance(local, BooksSide) or not facts_are_due(local.stream, local.settings):
        return
    company = cast(BooksClient, remote).company()
    with transaction.atomic():
        assert_held()
        take_facts(local.connection, local.settings, company)
