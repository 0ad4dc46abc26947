"""Occurrences whose series is not there: who is invited to one of them alone is busy at that time, and no other."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations.models import Problem
from integrations.records import instant
from tests.integrations.mangling import mangled

pytestmark = pytest.mark.django_db
SERIES = "AAMkAGI1AAAoZCfHAAA="  # in somebody else's mailbox


def soon(days: int) -> dt.datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=days)


def busy() -> list[dt.datetime]:
    return sorted(BlockedTime.objects.values_list("starts_at", flat=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exception", "occurrence"])
def test_one_of_a_series_that_nobody_finds_blocks_as_long_as_it_is_there(dana, outlook, person, vendors, sync, kind):
    event, other = person.add("Briefing", soon(2)), person.add("Dentist", soon(5))

    def as_one_of_a_series(row):
        place = {"type": kind, "seriesMasterId": SERIES, "originalStart": instant(soon(2))}
        row.update(place)

    with mangled(vendors, event.id, as_one_of_a_series):
        for mode in ("incremental", "full", "incremental"):
            assert sync(mode=mode).errors == []
            assert busy() == [soon(2), soon(5)]
        person.move(event.id, soon(3))
        assert sync().errors == [] and busy() == [soon(3), soon(5)]
        person.set_busy(event.id, False)
        assert sync().errors == [] and busy() == [soon(5)]
        person.set_busy(event.id, True)
        sync()
        assert busy() == [soon(3), soon(5)]
        quiet = sync()
        assert (quiet.pulled, quiet.pushed, quiet.failed) == (0, 0, 0)
    person.delete(event.id)
    person.delete(other.id)
    assert sync().errors == [] and busy() == []
    assert not Problem.objects.open().exists()
