"""Free/busy by API after real syncs: a person whose calendar cannot be read is not shown as free."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations import errors
from tests.integrations.sync.memory import MemoryClient

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.mark.slow
def test_a_private_event_blocks_and_stays_while_its_calendar_is_not_read(api, memory, dana, person, sync, monkeypatch):
    start = (timezone.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    end = start + dt.timedelta(days=1)
    query = {"technicianId": dana.member_id, "from": start.isoformat(), "to": end.isoformat()}

    def answer() -> tuple[list[str], str | None, str]:
        body = api.get("/api/v1/availability", query).json()
        [technician] = body["meta"]["technicians"]
        assert technician["asOf"] == body["meta"]["asOf"]
        return [row["kind"] for row in body["data"]], body["meta"]["asOf"], technician["calendars"]

    assert answer() == ([], None, "not_read")
    person.add("canary", start + dt.timedelta(hours=2))
    job = sync()
    kinds, as_of, state = answer()
    assert (kinds, state) == (["blocked"], "read") and dt.datetime.fromisoformat(as_of) == job.started_at

    def down(*_args):
        raise errors.Unavailable("Down.")

    monkeypatch.setattr(MemoryClient, "changes", down)
    assert sync().status == "failed"
    assert answer() == (["blocked"], as_of, "not_read")
