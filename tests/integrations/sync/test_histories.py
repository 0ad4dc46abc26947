"""Random histories over both sides, with faults and kills in between.

Whatever happened: after two quiet runs both sides agree, no visit has two events, no edit is lost, nothing is written
any more, and every job's counts are the sums of its records (the run's own end asserts that).
"""

import datetime as dt
import os

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit, VisitStatus, Workspace
from integrations.jobs import runner
from integrations.models import JobStatus, Link, SyncJob
from integrations.services.connections import set_up, take_grant
from integrations.services.jobs import trigger_sync
from tests.integrations.engine import abandoned, finish
from tests.integrations.sync.test_faults import Killed

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NAMES = ("dana", "lee")
HOURS = st.integers(0, 300)
INDEX = st.integers(0, 30)


class TwoSides(RuleBasedStateMachine):
    vendors = people = None

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.vendors.reset()
        self.vendors.throttle(False)
        self.workspace = Workspace.objects.create(name="History")
        self.client = Client.objects.create(workspace=self.workspace, first_name="Kim")
        self.first = (timezone.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        self.members, self.persons = [], []
        for name in NAMES:
            account, tokens = self.people.granted(self.vendors, name)
            connection = take_grant(
                workspace=self.workspace, integration=self.people.integration, account=account, tokens=tokens, user=None
            )
            person = self.people(self.vendors, name)
            member = Member.objects.create(workspace=self.workspace, first_name=name, is_technician=True)
            set_up(
                connection=connection,
                member=member,
                target_container_id=person.main,
                busy_container_ids=[person.main],
            )
            self.members.append(member)
            self.persons.append(person)
        self.allowed: dict[str, set[dt.datetime]] = {}
        self.local_edit: dict[str, str] = {}  # visit -> "fresh" (no sync since), "maybe" (a faulty one), "synced"
        self.cut: set[str] = set()
        self.private: list[tuple[int, str]] = []
        self._sync()

    def teardown(self):
        try:
            self._settle()
            self._check()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # --- FieldCamp --------------------------------------------------------------------------------------------------

    def _visit(self, index: int) -> Visit | None:
        visits = list(Visit.objects.filter(workspace=self.workspace).order_by("pk"))
        return visits[index % len(visits)] if visits else None

    def _edited(self, visit: Visit) -> None:
        self.cut.discard(visit.pk)
        self.local_edit[visit.pk] = "fresh"

    @rule(hour=HOURS, who=st.integers(0, 1))
    def create_visit(self, hour, who):
        start = self.first + dt.timedelta(hours=hour)
        visit = Visit.objects.create(
            workspace=self.workspace,
            client=self.client,
            technician=self.members[who],
            title="Leak",
            scheduled_start=start,
            scheduled_end=start + dt.timedelta(hours=1),
            visit_status=VisitStatus.SCHEDULED,
        )
        self.allowed[visit.pk] = {start}
        self._edited(visit)

    @rule(index=INDEX, hour=HOURS)
    def move_visit(self, index, hour):
        if (visit := self._visit(index)) is None:
            return
        start = self.first + dt.timedelta(hours=hour, minutes=15)
        if start == visit.scheduled_start:
            return
        Visit.objects.filter(pk=visit.pk).update(scheduled_start=start, scheduled_end=start + dt.timedelta(hours=1))
        self.allowed[visit.pk] = {start}
        self._edited(visit)

    @rule(index=INDEX, who=st.integers(0, 1))
    def reassign(self, index, who):
        if (visit := self._visit(index)) and visit.technician != self.members[who]:
            visit.technician = self.members[who]
            visit.save()
            self.cut.discard(visit.pk)
            # A move in the calendar that was not taken in yet goes with the event that is removed.
            self.allowed[visit.pk] |= {visit.scheduled_start}

    @rule(index=INDEX, cancel=st.booleans())
    def cancel_or_restore(self, index, cancel):
        if visit := self._visit(index):
            status = VisitStatus.CANCELLED if cancel else VisitStatus.SCHEDULED
            if status != visit.visit_status:
                Visit.objects.filter(pk=visit.pk).update(visit_status=status)
                self.cut.discard(visit.pk)
                self.allowed[visit.pk] |= {visit.scheduled_start}

    # --- the calendar ------------------------------------------------------------------------------------------------

    def _event(self, index: int):
        found = [(person, pk, event) for person in self.persons for pk, event in sorted(person.ours().items())]
        return found[index % len(found)] if found else None

    @rule(index=INDEX, hour=HOURS)
    def move_event(self, index, hour):
        if (found := self._event(index)) is None:
            return
        person, visit_id, event = found
        start = self.first + dt.timedelta(hours=hour, minutes=30)
        person.move(event.id, start)
        state = self.local_edit.get(visit_id)
        visit = Visit.objects.get(pk=visit_id)
        if visit.technician_id != self.members[self.persons.index(person)].pk or visit.visit_status == "cancelled":
            self.allowed[visit_id].add(start)
        elif state == "synced":
            self.allowed[visit_id] = {start} | (self.allowed[visit_id] if self.maybe_gone(visit_id) else set())
        elif state == "maybe":
            self.allowed[visit_id].add(start)

    def maybe_gone(self, visit_id) -> bool:
        return False

    @rule(index=INDEX)
    def rename_event(self, index):
        if found := self._event(index):
            found[0].rename(found[2].id, "Renamed")

    @rule(index=INDEX)
    def delete_event(self, index):
        if found := self._event(index):
            person, visit_id, event = found
            person.delete(event.id)
            self.cut.add(visit_id)
            self.allowed[visit_id].add(Visit.objects.get(pk=visit_id).scheduled_start)

    @rule(who=st.integers(0, 1), hour=HOURS)
    def add_private(self, who, hour):
        event = self.persons[who].add("Dentist", self.first + dt.timedelta(hours=hour))
        self.private.append((who, event.id))

    @precondition(lambda self: self.private)
    @rule(index=INDEX)
    def delete_private(self, index):
        who, event_id = self.private.pop(index % len(self.private))
        self.persons[who].delete(event_id)

    # --- syncs ------------------------------------------------------------------------------------------------------

    def _sync(self, mode="incremental") -> SyncJob:
        job = trigger_sync(
            workspace=self.workspace, integration=self.people.integration, mode=mode, triggered_by="api", actor="test"
        )
        return finish(job)

    def _all_synced(self, state: str) -> None:
        for visit_id, now in self.local_edit.items():
            self.local_edit[visit_id] = "synced" if state == "synced" else ("maybe" if now == "fresh" else now)

    @rule(mode=st.sampled_from(["incremental", "incremental", "full"]))
    def sync(self, mode):
        job = self._sync(mode)
        assert job.status in (JobStatus.SUCCEEDED, JobStatus.NEEDS_CONFIRMATION), job.errors
        if mode == "full":
            self.cut.clear()
        self._all_synced("synced")

    @rule(
        kind=st.sampled_from(["drop", "drop_after_commit", "truncate", "status", "expire_cursor"]),
        after=st.integers(0, 4),
        times=st.integers(1, 6),
    )
    def sync_with_a_fault(self, kind, after, times):
        status = {"status": 503} if kind == "status" else {}
        self.vendors.fault(kind, path=f"{self.people.api}|/calendar/v3/|^/me/", after=after, times=times, **status)
        self._sync()
        self.vendors.heal()
        self._all_synced("maybe")

    @rule(call=st.integers(1, 6), after=st.booleans())
    def sync_and_kill(self, call, after):
        calls = iter(range(1, 10_000))

        def deadly(path, send):
            if self.people.api not in path or next(calls) != call:
                return send()
            if after:
                send()
            raise Killed

        job = trigger_sync(
            workspace=self.workspace, integration=self.people.integration, triggered_by="api", actor="test"
        )
        disarm = self.vendors.around(deadly)
        try:
            runner.run(job.pk)
        except Killed:
            abandoned(job)
        finally:
            disarm()
        self._all_synced("maybe")
        job.refresh_from_db()
        if job.in_flight:
            finish(job)
        self._all_synced("synced")

    # --- laws -------------------------------------------------------------------------------------------------------

    @invariant()
    def no_visit_has_two_events_in_one_calendar(self):
        for person in self.persons:
            person.ours()

    def _settle(self) -> None:
        for _ in range(2):
            assert self._sync().status in (JobStatus.SUCCEEDED, JobStatus.NEEDS_CONFIRMATION)
        tags = [[(event.id, event.tag) for event in person.events()] for person in self.persons]
        versions = list(Visit.objects.filter(workspace=self.workspace).values_list("pk", "version"))
        for _ in range(2):
            job = self._sync()
            assert (job.pulled, job.pushed, job.failed) == (0, 0, 0)
        assert tags == [[(event.id, event.tag) for event in person.events()] for person in self.persons]
        assert versions == list(Visit.objects.filter(workspace=self.workspace).values_list("pk", "version"))

    def _check(self) -> None:
        assert not Link.objects.filter(intent__isnull=False).exists()
        held = set(Link.objects.exclude(hold=None).values_list("record_id", flat=True))
        for who, person in enumerate(self.persons):
            events = person.ours()
            wanted = {
                visit.pk: visit
                for visit in Visit.objects.filter(technician=self.members[who], visit_status=VisitStatus.SCHEDULED)
            }
            assert events.keys() <= wanted.keys()
            assert wanted.keys() - events.keys() <= self.cut | held
            for visit_id, event in events.items():
                assert event.title == "Leak · Kim"
                assert event.start == wanted[visit_id].scheduled_start
            private = {event_id for owner, event_id in self.private if owner == who}
            assert BlockedTime.objects.filter(member=self.members[who]).count() == len(private)
        for visit_id, starts in self.allowed.items():
            assert Visit.objects.get(pk=visit_id).scheduled_start in starts, "an edit was lost"


def test_every_history_ends_in_agreement(vendors, people):
    TwoSides.vendors, TwoSides.people = vendors, people
    run_state_machine_as_test(
        TwoSides,
        settings=settings(
            max_examples=int(os.environ.get("HISTORIES", "4")),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
