"""Progress never falls back, whatever the accounts find while they are at it, and says how long it takes."""

import datetime as dt
from itertools import pairwise

import pytest
from django.utils import timezone

from integrations.ledger.run_state import EXPECTED, RunState
from integrations.models import JobPart, Stream, SyncJob
from integrations.selectors.progress import left_in_words, percent_of, seconds_left
from integrations.sync.ports import Stage
from tests.integrations import build

NOW = dt.datetime(2026, 11, 29, 21, 0, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_a_total_that_grows_or_shrinks_moves_nothing_back():
    company = build.workspace()
    job = build.job(company, "running", total=120, started_at=NOW)
    streams = []
    for expected in (100, 20, 0):
        account = build.connection(company)
        stream = Stream.objects.create(connection=account, container_id="main", is_target=True)
        streams.append(
            (stream, JobPart.objects.create(job=job, connection=account, progress={EXPECTED: {stream.pk: expected}}))
        )
    shown: list[int] = []

    def look(done: int) -> None:
        SyncJob.objects.filter(pk=job.pk).update(done=done)
        shown.append(percent_of(SyncJob.objects.get(pk=job.pk)) or 0)

    look(0)
    for (stream, part), remaining, done in zip(streams, (100, 45, 29), (100, 130, 174), strict=True):
        state = RunState(stream, job, part, None, None, None)  # type: ignore[arg-type]  # neither is asked for that
        state._show(Stage.PUSH, remaining)
        assert part.progress[EXPECTED] == {}
        look(done - 20)
        look(done)
    assert SyncJob.objects.get(pk=job.pk).total == 174
    assert all(before <= after for before, after in pairwise(shown)) and shown[-1] == 99


@pytest.mark.parametrize(
    ("seconds", "done", "total", "left"),
    [(4, 50, 120, None), (10, 50, 120, 15), (10, 0, 120, None), (10, 120, 120, None), (10, 5, 0, None)],
)
def test_how_long_it_takes_is_said_once_it_can_be(seconds, done, total, left):
    job = SyncJob(started_at=NOW, done=done, total=total)
    assert seconds_left(job, NOW + dt.timedelta(seconds=seconds)) == left


def test_the_words_do_not_flicker():
    assert [left_in_words(number) for number in (1, 18, 22, 59, 60, 200)] == [
        "about 5 s left", "about 20 s left", "about 20 s left", "about 60 s left", "about 1 min left",
        "about 3 min left",
    ]  # fmt: skip


def test_nobody_knows_before_there_is_a_total():
    assert percent_of(SyncJob(done=3, total=0, created_at=timezone.now())) is None
