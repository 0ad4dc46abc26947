"""A full week on the calendar's page: of visits that are in step nothing is compared field by field, and no calendar
is read for each of them."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.calendar.visits import VisitsOfStream
from integrations.calendar.window import window_at
from integrations.models import Connection, Link, Stream
from integrations.services.sync_state.reasons import RecordState
from integrations.services.sync_state.states import sync_states_of
from integrations.sync import plan

pytestmark = pytest.mark.django_db


def test_what_is_in_step_costs_no_comparison_and_no_calendar_of_its_own(ours, monkeypatch):
    now = timezone.now()
    Connection.objects.filter(pk=ours.connection.pk).update(last_synced_at=now)
    Stream.objects.filter(pk=ours.link.stream_id).update(
        first_synced_at=now, window_end=now + dt.timedelta(days=90), is_target=True, is_active=True
    )
    visits = [
        Visit(
            workspace=ours.workspace, client=ours.client, technician=ours.tech, title=f"Visit {number}",
            visit_status="scheduled", timezone="UTC", scheduled_start=now + dt.timedelta(hours=number),
            scheduled_end=now + dt.timedelta(hours=number + 1),
        )
        for number in range(25)
    ]  # fmt: skip
    Visit.objects.bulk_create(visits)
    stream = Stream.objects.select_related("connection").get(pk=ours.link.stream_id)
    side = VisitsOfStream(stream, window_at(now))
    for visit in visits:
        fields = {**side.view(visit).fields, "notes": ""}
        Link.objects.create(
            stream=stream, kind="visit", record_id=visit.pk, remote_id=visit.pk, base=fields, seen=fields, seen_at=now
        )
    compared, made = [], []
    known, read = plan._compared_fields, Stream.from_db.__func__
    monkeypatch.setattr(plan, "_compared_fields", lambda *some: compared.append(some) or known(*some))
    monkeypatch.setattr(Stream, "from_db", classmethod(lambda cls, *row: made.append(row) or read(cls, *row)))

    def states() -> list[RecordState]:
        rows = Visit.objects.filter(pk__in=[visit.pk for visit in visits]).select_related("client", "technician")
        found = sync_states_of(ours.workspace.pk, "visit", list(rows.order_by("pk")))
        return [row.explanation.state for rows in found.values() for row in rows]

    assert states() == [RecordState.SYNCED] * 25
    assert compared == [] and len(made) <= 2
    Visit.objects.filter(pk=visits[0].pk).update(title="Another")
    assert states().count(RecordState.SYNCED) == 24 and compared
