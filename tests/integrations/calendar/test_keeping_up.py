"""Busy time as the window moves on: one event's fault is no other's, and nothing is written without the lease."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from integrations.accounts.clients import open_remote
from integrations.calendar import busy
from integrations.jobs.streams import stream_run
from integrations.models import JobPart, Link, Occurrence, Problem, Stream
from integrations.queue.lease import LeaseLost
from integrations.sync.ports import RunProgress

pytestmark = pytest.mark.django_db


def soon(days: int) -> dt.datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=days)


def last_of(link: Link) -> dt.datetime:
    return Occurrence.objects.filter(link=link).latest("starts_at").starts_at


@pytest.mark.slow
def test_one_that_fails_keeps_what_it_blocks_and_no_other_from_moving_on(memory, dana, person, sync):
    for title in ("Standup", "Briefing", "Course"):
        person.add(title, soon(1), repeat=("weekly", 60))
    sync()
    first, bad, last = Link.objects.order_by("pk")
    before = {link.pk: last_of(link) for link in (first, bad, last)}
    good = dict(bad.base)
    bad.base = good | {"start": "soon"}
    bad.save()
    now = timezone.now() + dt.timedelta(days=21)
    assert busy.expand_all(now) == 3
    moved = dt.timedelta(days=21)
    assert [last_of(link) - before[link.pk] for link in (first, bad, last)] == [moved, dt.timedelta(0), moved]
    problem = Problem.objects.open().get()
    assert (problem.code, problem.data) == ("RECORD_UNREADABLE", {"series": [bad.pk]})
    bad.base = good
    bad.save()
    assert busy.expand_all(now + dt.timedelta(days=1)) == 3
    assert last_of(bad) == last_of(last) and not Problem.objects.open().exists()


def test_a_calendar_with_nothing_to_do_is_kept_up_under_the_lease_alone(memory, dana, person, sync):
    person.add("Standup", soon(1), repeat=("weekly", 60))
    job = sync()
    assert sync().status == "succeeded"
    [link], part = Link.objects.all(), JobPart.objects.get(job=job)
    before = list(Occurrence.objects.order_by("pk").values_list("pk", flat=True))
    held = [False]

    def assert_held() -> None:
        if not held[0]:
            raise LeaseLost

    with time_machine.travel(timezone.now() + dt.timedelta(days=1), tick=False):
        stream = Stream.objects.get()
        Stream.objects.update(window_end=stream_run(*_of(stream, job, part, assert_held)).window.end)
        stream.refresh_from_db()
        run = stream_run(*_of(stream, job, part, assert_held))
        assert run.ledger.has_nothing_to_do(RunProgress())
        with pytest.raises(LeaseLost):
            run.ledger.finish(RunProgress())
        assert list(Occurrence.objects.order_by("pk").values_list("pk", flat=True)) == before
        held[0] = True
        run.ledger.finish(RunProgress())
        stream.refresh_from_db()
        assert stream.expanded_on == timezone.now().date()
    assert not set(before) & set(Occurrence.objects.filter(link=link).values_list("pk", flat=True))


def _of(stream: Stream, job, part, assert_held):
    return stream, job, part, assert_held, open_remote(stream.connection), lambda: None
