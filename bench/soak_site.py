"""The company of the soak: who edits what on which side, what has become of it, and whether both sides agree. Imported
when the environment is that of the soak."""

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import django

django.setup()

import requests  # noqa: E402
from django.db import DatabaseError, InterfaceError, close_old_connections, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from fieldcamp.workspace.models import BlockedTime, Client, Member, Visit, Workspace  # noqa: E402
from fieldcamp.workspace.services import create_visit, delete_visit, update_visit  # noqa: E402
from integrations.accounts.clients import open_remote  # noqa: E402
from integrations.demo.caller import Caller, CallFailed  # noqa: E402
from integrations.demo.users import USERS, CalendarUser, Shown  # noqa: E402
from integrations.models import Connection, Problem, SyncJob, WorkspaceIntegration  # noqa: E402
from integrations.providers import PROVIDERS  # noqa: E402
from integrations.queue.enqueue import SyncInProgress  # noqa: E402
from integrations.services.connections import set_up, take_grant  # noqa: E402
from integrations.services.jobs import trigger_sync  # noqa: E402
from integrations.transport.client import HttpClient, OneToken  # noqa: E402

PEOPLE = ("dana", "lee", "ravi")
VISITS, OWN = 6, 4  # for each person: those that are edited here, and those that are moved there
HOUR, QUARTER = dt.timedelta(hours=1), dt.timedelta(minutes=15)
AWAY = (DatabaseError, InterfaceError)
Found = TypeVar("Found")


class Site:
    def __init__(self, sandbox_url: str, chance: random.Random):
        self.chance, self.jobs = chance, Counter[str]()
        self.workspace = Workspace.objects.create(name="Soak")
        self.client = Client.objects.create(workspace=self.workspace, first_name="Kim", last_name="Reed")
        self.people: dict[str, tuple[CalendarUser, Connection]] = {}
        for integration in USERS:
            for name in PEOPLE:
                user, account = self._connected(sandbox_url, integration, name)
                self.people[str(account.member_id)] = (user, account)
        WorkspaceIntegration.objects.update(interval_minutes=1)
        self.wanted: dict[str, tuple[str, dt.datetime, str]] = {}  # visit: title, start, whose; of the last edit
        self.gone: set[str] = set()
        self.moved_there: set[str] = set()  # visits that only their owners move
        self.busy: dict[tuple[str, str], dt.datetime] = {}  # (whose, event): start
        for member_id in self.people:
            for number in range(VISITS + OWN):
                visit_id = self._make(member_id)
                if number >= VISITS:
                    self.moved_there.add(visit_id)

    def _connected(self, sandbox_url: str, integration: str, name: str) -> tuple[CalendarUser, Connection]:
        user, provider = USERS[integration](sandbox_url, name), PROVIDERS[integration]
        body = {
            "vendor": user.vendor, "account": user.account, "client_id": "sandbox-client",
            "scopes": list(provider.scopes),
        }  # fmt: skip
        tokens = provider.parse_tokens(Caller(f"{sandbox_url}/_control")("POST", "/token", body), timezone.now())
        http = HttpClient(provider, OneToken(tokens.access_token))
        account = provider.identify(http)
        member = Member.objects.create(workspace=self.workspace, first_name=user.account, is_technician=True)
        row = take_grant(workspace=self.workspace, integration=integration, account=account, tokens=tokens, user=None)
        [main] = [each for each in open_remote(row).containers() if each.primary]
        row = set_up(connection=row, member=member, target_container_id=main.id, busy_container_ids=[main.id])
        return user, row

    def _some_time(self) -> dt.datetime:
        first = (timezone.now() + dt.timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
        return first + QUARTER * self.chance.randrange(4 * 24 * 30)

    # ---- edits ----------------------------------------------------------------------------------------------------

    def edit(self) -> str:
        """Makes one edit on one side; which. Where something was away just then it is looked up what has become."""
        ways = (self._rename, self._move, self._hand_on, self._delete, self._move_there, self._move_there, self._meet)
        way = self.chance.choice(ways)
        try:
            close_old_connections()
            return f"edit: {way()}"
        except (*AWAY, requests.RequestException, CallFailed) as error:
            connection.close()
            return f"edit while something was away ({type(error).__name__})"

    def _here(self) -> str:
        return self.chance.choice(sorted(set(self.wanted) - self.moved_there))

    def _make(self, member_id: str) -> str:
        start = self._some_time()
        title = f"Visit {self.chance.randrange(10**9)}"
        try:
            create_visit(
                workspace=self.workspace, client_id=self.client.pk, title=title, technician_id=member_id,
                scheduled_start=start, scheduled_end=start + HOUR,
            )  # fmt: skip
        finally:
            made = _patiently(lambda: Visit.objects.filter(workspace=self.workspace, title=title).first())
            if made:
                self.wanted[made.pk] = (title, start, member_id)
        return made.pk

    def _change(self, visit_id: str, **changes: Any) -> None:
        try:
            update_visit(workspace=self.workspace, visit_id=visit_id, changes=changes)
        finally:
            visit = _patiently(lambda: Visit.objects.get(pk=visit_id))
            start = self.wanted[visit_id][1] if visit_id in self.moved_there else visit.scheduled_start
            self.wanted[visit_id] = (visit.title, start, visit.technician_id)

    def _rename(self) -> str:
        self._change(self.chance.choice(sorted(self.wanted)), title=f"Visit {self.chance.randrange(10**9)}")
        return "a visit renamed here"

    def _move(self) -> str:
        start = self._some_time()
        self._change(self._here(), scheduled_start=start, scheduled_end=start + HOUR)
        return "a visit moved here"

    def _hand_on(self) -> str:
        self._change(self._here(), technician_id=self.chance.choice(sorted(self.people)))
        return "a visit handed on"

    def _delete(self) -> str:
        visit_id = self._here()
        try:
            delete_visit(workspace=self.workspace, visit_id=visit_id)
        finally:
            if not _patiently(lambda: Visit.objects.alive().filter(pk=visit_id).exists()):
                del self.wanted[visit_id]
                self.gone.add(visit_id)
        self._make(self.chance.choice(sorted(self.people)))
        return "a visit deleted, another made"

    def _move_there(self) -> str:
        visit_id = self.chance.choice(sorted(self.moved_there))
        title, _, member_id = self.wanted[visit_id]
        user = self.people[member_id][0]
        event = next((each for each in user.events() if each.visit_id == visit_id), None)
        if event is None:
            return "none: the event is not there yet"
        later = self._some_time() - event.start
        try:
            user.edit(event, later=later)
        except (requests.RequestException, CallFailed):  # it may have been moved all the same
            start = next(each.start for each in _patiently(user.events) if each.id == event.id)
            if start == event.start:
                raise
        self.wanted[visit_id] = (title, event.start + later, member_id)
        return "an event moved there"

    def _meet(self) -> str:
        member_id = self.chance.choice(sorted(self.people))
        user = self.people[member_id][0]
        mine = sorted(event for whose, event in self.busy if whose == member_id)
        try:
            if mine and self.chance.random() < 0.4:
                user.calendar("DELETE", f"/events/{self.chance.choice(mine)}")
            else:
                user.add("Meeting", self._some_time())
        finally:
            private = [each for each in _patiently(user.events) if not each.visit_id]
            self.busy = {key: start for key, start in self.busy.items() if key[0] != member_id}
            self.busy |= {(member_id, each.id): each.start for each in private}
        return "a meeting made or deleted there"

    def trigger(self, integration: str = "") -> str:
        """Triggers a sync of one of the two, unless one runs."""
        try:
            close_old_connections()
            trigger_sync(
                workspace=self.workspace, integration=integration or self.chance.choice(sorted(USERS)),
                mode="incremental", triggered_by="api", actor="soak",
            )  # fmt: skip
        except SyncInProgress:
            return "trigger: 409"
        except AWAY:
            connection.close()
            return "trigger while something was away"
        return "trigger: 202"

    # ---- the end --------------------------------------------------------------------------------------------------

    def settle(self, seconds: float) -> list[str]:
        """Waits until each integration has had two good syncs with nothing in between; what does not come to that."""
        ends, since = time.monotonic() + seconds, _patiently(timezone.now)
        while time.monotonic() < ends:
            for integration in USERS:
                self.trigger(integration)
            time.sleep(2)
            good = SyncJob.objects.filter(status="succeeded", started_at__gt=since).values_list("integration")
            counted = Counter(integration for (integration,) in good)
            if all(counted[integration] >= 2 for integration in USERS) and not SyncJob.objects.in_flight().exists():
                return []
        jobs = SyncJob.objects.order_by("-created_at").values_list("integration", "status", "stage", "errors")[:4]
        return [f"not settled after {seconds:.0f} s: {list(jobs)}"]

    def differences(self) -> list[str]:
        """Compares record by record: what the edits have made, the visits and busy times here, the events there."""
        found = [f"{each.code}: {each.message}" for each in Problem.objects.open()]
        visits = {each.pk: each for each in Visit.objects.alive().filter(workspace=self.workspace)}
        if set(visits) != set(self.wanted):
            found.append(f"visits here: {set(visits) ^ set(self.wanted)}")
        events: dict[str, list[tuple[str, Shown]]] = {}
        for member_id, (user, _) in self.people.items():
            shown = user.events()
            for each in shown:
                if each.visit_id:
                    events.setdefault(each.visit_id, []).append((member_id, each))
            there = sorted((each.start, each.end) for each in shown if not each.visit_id)
            here = BlockedTime.objects.filter(member=member_id).values_list("starts_at", "ends_at")
            if sorted(here) != there:
                found.append(f"{user.account}: busy {sorted(here)} here, {there} there")
        for visit_id, (title, start, member_id) in self.wanted.items():
            visit = visits.get(visit_id)
            if visit and (visit.title, visit.scheduled_start, visit.technician_id) != (title, start, member_id):
                found.append(f"{visit_id}: {visit.title} {visit.scheduled_start} here; wanted {title} {start}")
            shown_as = [(whose, each.start, each.end, title in each.title) for whose, each in events.pop(visit_id, [])]
            if shown_as != [(member_id, start, start + HOUR, True)]:
                found.append(f"{visit_id}: {shown_as} there; wanted {title} {start} of {member_id}")
        return [*found, *(f"{visit_id}: an event of no visit" for visit_id in events)]

    def result(self) -> dict[str, str]:
        """How many syncs of each end there were, and what was compared."""
        jobs = Counter(SyncJob.objects.values_list("status", flat=True))
        taken = [
            (job.finished_at - job.created_at).total_seconds() for job in SyncJob.objects.exclude(finished_at=None)
        ]
        return {
            "syncs": ", ".join(f"{count} {status}" for status, count in sorted(jobs.items())),
            "slowest sync, from its trigger": f"{max(taken, default=0):.0f} s",
            "compared": f"{len(self.wanted)} visits, {len(self.gone)} deleted ones, {len(self.busy)} busy times",
            "accounts": ", ".join(sorted(set(Connection.objects.values_list("state", flat=True)))),
        }


def _patiently(read: Callable[[], Found]) -> Found:
    """Reads as soon as what was away is back."""
    while True:
        try:
            return read()
        except (*AWAY, requests.RequestException, CallFailed):
            connection.close()
            time.sleep(0.5)
