"""Every state that an account, a job, a problem, a hold or the worker can be in, each planted alone in a company
that is well otherwise; in memory, as the rules see it."""

import datetime as dt
from collections.abc import Callable

from fieldcamp.workspace.models import Member, Workspace
from integrations.models import Connection, Plan, Problem, SyncJob, VendorOutage, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.selectors.company.facts import STOPPING, CompanyFacts
from integrations.selectors.company.findings import FindingKind
from integrations.selectors.company.judging import findings_of
from integrations.selectors.company.state import CompanyState
from integrations.selectors.dashboard import QueueHealth
from integrations.selectors.stalls import Stall, StallCause
from integrations.selectors.standings import FOR_NOBODY, INFORMING, Standing

NOW = dt.datetime(2026, 11, 29, 21, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
NEXT = NOW + 34 * MINUTE
PLACES = ("google_calendar", "outlook_calendar", "quickbooks")


class Planted(CompanyFacts):
    """The facts of a company with an account at each provider, synced four minutes ago."""

    def __init__(self) -> None:
        self.company = Workspace(pk="wsp_1", name="Dana's Plumbing", timezone="Europe/Berlin")
        found = [self._well(name) for name in PLACES]
        super().__init__(self.company, found, NOW, QueueHealth(None, dt.timedelta(seconds=8)))

    def _well(self, name: str) -> Standing:
        account = Connection(
            pk=f"con_{name}", workspace=self.company, integration=name, account_name=f"lee@{name}.test", state="active",
            member=Member(first_name="Lee"), last_synced_at=NOW - 4 * MINUTE,
        )  # fmt: skip
        row = WorkspaceIntegration(workspace=self.company, integration=name, next_sync_at=NEXT)
        job = SyncJob(pk=f"syn_{name}", integration=name, status="succeeded", finished_at=NOW - 4 * MINUTE)
        return Standing(PROVIDERS[name], row, [account], last_job=job)

    def at(self, name: str) -> Standing:
        return next(one for one in self.standings if one.provider.name == name)

    def state(self) -> CompanyState:
        return CompanyState(self.company, self.standings, findings_of(self), self.now, self)

    def account(self, name: str, **fields) -> None:
        for field, value in fields.items():
            setattr(self.at(name).connections[0], field, value)

    def running(self, name: str, **fields) -> None:
        defaults = {"status": "running", "created_at": NOW - MINUTE, "started_at": NOW - MINUTE}
        values = defaults | {"progressed_at": NOW} | fields
        self.at(name).live_job = SyncJob(pk=f"syn_live_{name}", integration=name, **values)

    def last(self, name: str, status: str) -> None:
        job = self.at(name).last_job
        assert job is not None
        job.status = status

    def problem(self, name: str, code: str, *, ignored: bool = False, notice: bool = False, record: str = "") -> None:
        account = self.at(name).connections[0]
        row = Problem(
            pk=f"prb_{name}_{code}", integration=name, connection=account, code=code, message="It failed.",
            occurred_at=NOW - 2 * MINUTE, record_id=record,
        )  # fmt: skip
        if ignored:
            self.ignored[name], self.ignored_first[name] = 1, [row]
            self.ignored_names[row.pk] = "Ben Hoffman"
        elif notice or code in INFORMING:
            self.notices[name] = 1
        else:
            self.at(name).problems.append(row)
            stops = code in STOPPING or (code == "INTERNAL_ERROR" and not record)
            if stops or code in FOR_NOBODY:
                self.of_accounts.append(row)
            if code not in FOR_NOBODY:
                self.open_counts[name, stops] += 1


def _stall(cause: StallCause) -> Callable[[Planted, str], None]:
    def plant(facts: Planted, name: str) -> None:
        account = facts.at(name).connections[0]
        facts.stalls[account.pk] = Stall(account, NOW - 30 * MINUTE, cause)

    return plant


def _account(**fields) -> Callable[[Planted, str], None]:
    return lambda facts, name: facts.account(name, **fields)


def _running(**fields) -> Callable[[Planted, str], None]:
    return lambda facts, name: facts.running(name, **fields)


def _problem(code: str, **fields) -> Callable[[Planted, str], None]:
    return lambda facts, name: facts.problem(name, code, **fields)


def _last(status: str) -> Callable[[Planted, str], None]:
    return lambda facts, name: facts.last(name, status)


def _outage(facts: Planted, name: str) -> None:
    facts.outages[name] = VendorOutage(integration=name, began_at=NOW - 20 * MINUTE)


def _plan(facts: Planted, name: str) -> None:
    facts.plans[name] = [Plan(integration=name, job_id="syn_plan", expires_at=NOW + 20 * MINUTE)]


def _hold(facts: Planted, name: str) -> None:
    facts.forgotten_holds[name] = 1


def _no_worker(facts: Planted, _name: str) -> None:
    facts.queue = QueueHealth(2 * MINUTE, 2 * MINUTE)


def _never_a_worker(facts: Planted, _name: str) -> None:
    facts.queue = QueueHealth(None, None)


def _paused(facts: Planted, name: str) -> None:
    facts.account(name, state="paused", paused_by_person=True)
    facts.pauses[facts.at(name).connections[0].pk] = (NOW - dt.timedelta(days=26), "Olivia Hart")


Kind = FindingKind
WAITING = {"status": "queued", "started_at": None, "progressed_at": None}
# Each state with the kind of the finding that has to tell of it.
STATES: dict[str, tuple[Callable[[Planted, str], None], FindingKind]] = {
    "set-up not finished": (_account(state="setup"), Kind.SETUP),
    "paused by a person": (_paused, Kind.PAUSED),
    "paused by us": (_account(state="paused", failures=10, retry_at=NEXT), Kind.GIVEN_UP),
    "needs reconnect": (_account(state="needs_reconnect"), Kind.NO_ACCESS),
    "needs permission": (_account(state="needs_permission"), Kind.NO_ACCESS),
    "person not active": (_account(state="member_inactive"), Kind.PERSON_LEFT),
    "being left": (_account(leaving={"by": "Olivia"}), Kind.LEAVING),
    "a state of tomorrow": (_account(state="hibernating"), Kind.UNKNOWN),
    "never synced": (_account(last_synced_at=None), Kind.NOT_SYNCED_YET),
    "fails again and again": (_account(failures=3), Kind.FAILING),
    "asked to wait": (_account(retry_at=NOW + 9 * MINUTE), Kind.VENDOR_WAITS),
    "just queued": (_running(**WAITING, created_at=NOW), Kind.RUNNING),
    "queued for long": (_running(**WAITING, created_at=NOW - 2 * MINUTE), Kind.QUEUED_LONG),
    "running": (_running(done=50, total=120), Kind.RUNNING),
    "running dry": (_running(dry_run=True), Kind.RUNNING),
    "being cancelled": (_running(cancel_requested_at=NOW), Kind.RUNNING),
    "waits while it runs": (_running(run_after=NOW + MINUTE), Kind.RUNNING),
    "stuck": (_running(progressed_at=NOW - 20 * MINUTE), Kind.STUCK),
    "last run failed": (_last("failed"), Kind.LAST_RUN),
    "last run partial": (_last("partial"), Kind.LAST_RUN),
    "last run cancelled": (_last("cancelled"), Kind.LAST_RUN),
    "last run held": (_last("needs_confirmation"), Kind.LAST_RUN),
    "vendor down": (_problem("PROVIDER_UNAVAILABLE"), Kind.VENDOR_DOWN),
    "vendor limits": (_problem("RATE_LIMITED"), Kind.VENDOR_WAITS),
    "vendor out for all": (_outage, Kind.VENDOR_DOWN),
    "open question": (_problem("CONFLICT", record="vis_1"), Kind.NEEDS_YOU),
    "held removals": (_problem("CONFIRMATION_NEEDED", record="hld_1"), Kind.NEEDS_YOU),
    "misconfigured": (_problem("MISCONFIGURED"), Kind.NEEDS_YOU),
    "calendar unavailable": (_problem("CALENDAR_UNAVAILABLE", record="str_1"), Kind.NEEDS_YOU),
    "ignored": (_problem("RECORD_REJECTED", ignored=True), Kind.IGNORED),
    "notice": (_problem("EVENT_REMOVED", notice=True), Kind.NOTICE),
    "read anew": (_problem("FULL_SYNC_FORCED"), Kind.NOTICE),
    "a hold nobody tells of": (_hold, Kind.HELD),
    "a plan to approve": (_plan, Kind.PLAN_WAITS),
    "late": (_stall(StallCause.LATE), Kind.NOT_UP_TO_DATE),
    "late for pushes": (_stall(StallCause.PUSH_WAITS), Kind.NOT_UP_TO_DATE),
    "no worker": (_no_worker, Kind.NOBODY_WORKS),
    "never a worker": (_never_a_worker, Kind.NOBODY_WORKS),
}
