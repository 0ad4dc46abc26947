"""What the findings about a company are made of, read in a constant number of queries."""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import CharField, Count, Exists, OuterRef, Q
from django.db.models.functions import Cast

from fieldcamp.formats import in_currency
from fieldcamp.workspace.models import AuditEntry, Member, Workspace
from integrations.errors import ProblemCode
from integrations.models import Connection, ConnectionState, DirtyRow, Hold, JobStatus, Plan, Problem, VendorOutage
from integrations.selectors.dashboard import QueueHealth, queue_health
from integrations.selectors.stalls import Stall, stalls_among
from integrations.selectors.standings import FOR_NOBODY, INFORMING, PASSING, Standing, open_problems
from integrations.selectors.subjects import subjects

MOST_NAMES = 3
MOST_WAITING = 1_000
MOST_ACCOUNTS = 500
MOST_PLANS = 100
# These stop the work of a whole account, or of a calendar of it; what else is open waits with single records.
STOPPING = (
    ProblemCode.MISCONFIGURED,
    ProblemCode.NEEDS_RECONNECT,
    ProblemCode.NEEDS_PERMISSION,
    ProblemCode.MEMBER_INACTIVE,
    ProblemCode.CALENDAR_UNAVAILABLE,
)


@dataclass
class CompanyFacts:
    """`open_counts`: how many open problems wait for a person, by integration and whether they stop work;
    `of_accounts`: those that are about whole accounts or calendars, and those that pass; `ignored` by integration, with
    the first few. `pauses`: who paused an account and when, by connection. `forgotten_holds`: open
    holds of which no open problem tells, by integration. `plans`: those that wait for an approval, by integration, the
    newest first."""

    workspace: Workspace
    standings: Sequence[Standing]
    now: dt.datetime
    queue: QueueHealth
    outages: dict[str, VendorOutage] = field(default_factory=dict)
    stalls: dict[str, Stall] = field(default_factory=dict)
    open_counts: Counter[tuple[str, bool]] = field(default_factory=Counter)
    of_accounts: list[Problem] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    ignored_first: dict[str, list[Problem]] = field(default_factory=dict)
    ignored_names: dict[str, str] = field(default_factory=dict)  # by problem
    notices: dict[str, int] = field(default_factory=dict)
    pauses: dict[str, tuple[dt.datetime, str]] = field(default_factory=dict)
    forgotten_holds: Counter[str] = field(default_factory=Counter)
    plans: dict[str, list[Plan]] = field(default_factory=dict)
    waiting_changes: dict[str, int] = field(default_factory=dict)
    waiting_jobs: int = 0

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.workspace.timezone)

    @property
    def accounts(self) -> list[Connection]:
        return [connection for one in self.standings for connection in one.accounts]


def facts_of(workspace: Workspace, found: Sequence[Standing], now: dt.datetime) -> CompanyFacts:
    """Returns what is known of these integrations of a company; nine queries, and a few more where something is wrong
    or was put aside."""
    names = [one.provider.name for one in found]
    facts = CompanyFacts(workspace, found, now, queue_health(now))
    outages = VendorOutage.objects.filter(closed_at=None, ended_at=None, integration__in=names)
    facts.outages = {outage.integration: outage for outage in outages}
    facts.stalls = _stalls(facts)
    facts.waiting_jobs = sum(
        one.live_job is not None and one.live_job.status == JobStatus.QUEUED for one in found
    )  # fmt: skip
    _read_open(facts, names)
    _read_put_aside(facts, names)
    facts.pauses = _pauses(workspace, facts.accounts)
    facts.forgotten_holds = _forgotten_holds(facts, names)
    facts.plans = _plans(facts)
    passing = {problem.integration for problem in facts.of_accounts if problem.code in PASSING}
    down = [name for name in names if name in facts.outages or name in passing]
    facts.waiting_changes = {name: _waiting_changes(workspace, name) for name in down}
    return facts


def _stalls(facts: CompanyFacts) -> dict[str, Stall]:
    fresh = {pk: each for one in facts.standings for pk, each in one.freshness.items()}
    jobs = {(one.live_job.workspace_id, one.live_job.integration): one.live_job for one in facts.standings
            if one.live_job}  # fmt: skip
    found = stalls_among(facts.accounts, fresh, jobs, facts.now)
    return {stall.connection.pk: stall for stall in found}


def _read_open(facts: CompanyFacts, names: Collection[str]) -> None:
    rows = open_problems(facts.workspace).filter(integration__in=names).exclude(code__in=FOR_NOBODY)
    stops = Q(code__in=STOPPING) | Q(code=ProblemCode.INTERNAL_ERROR, record_id="")
    mine = open_problems(facts.workspace).filter(stops | Q(code__in=PASSING), integration__in=names)
    facts.of_accounts = list(mine[:MOST_ACCOUNTS])
    counted = rows.order_by().values_list("integration").annotate(all=Count("pk"), stops=Count("pk", filter=stops))
    for name, number, stopping in counted:
        facts.open_counts[name, True] = stopping
        facts.open_counts[name, False] = number - stopping


def _read_put_aside(facts: CompanyFacts, names: Collection[str]) -> None:
    aside = Problem.objects.open().filter(workspace=facts.workspace, integration__in=names).order_by()
    counted = aside.values_list("integration").annotate(
        ignored=Count("pk", filter=Q(ignored_at__isnull=False, notice=False)),
        notices=Count("pk", filter=Q(ignored_at=None) & (Q(notice=True) | Q(code__in=INFORMING))),
    )
    for name, ignored, notices in counted:
        facts.ignored[name], facts.notices[name] = ignored, notices
    if not any(facts.ignored.values()):
        return
    first = aside.filter(ignored_at__isnull=False, notice=False).order_by("-ignored_at", "-pk")
    for problem in first.select_related("connection")[:MOST_NAMES]:
        facts.ignored_first.setdefault(problem.integration, []).append(problem)
    shown = [problem for problems in facts.ignored_first.values() for problem in problems]
    about = subjects((problem.workspace_id, problem.record_kind, problem.record_id) for problem in shown)
    for problem in shown:
        record = about.get((problem.record_kind, problem.record_id))
        with in_currency(facts.workspace.currency):  # payments are called by their amounts
            facts.ignored_names[problem.pk] = str(record or problem.connection or problem.message)


def _pauses(workspace: Workspace, accounts: Collection[Connection]) -> dict[str, tuple[dt.datetime, str]]:
    """Returns when and by whom accounts were paused that a person has paused; two queries, if there are any."""
    paused = [each.pk for each in accounts if each.state == ConnectionState.PAUSED and each.paused_by_person]
    if not paused:
        return {}
    entries = AuditEntry.objects.filter(object_id__in=paused, action="connection.paused").order_by("pk")
    found = {object_id: (at, actor) for object_id, at, actor in entries.values_list("object_id", "at", "actor")}
    # The trail has people by their logins.
    people = Member.objects.filter(workspace=workspace, user__username__in={actor for _at, actor in found.values()})
    names = {member.user.get_username(): str(member) for member in people.select_related("user") if member.user}
    return {object_id: (at, names.get(actor, actor)) for object_id, (at, actor) in found.items()}


def _plans(facts: CompanyFacts) -> dict[str, list[Plan]]:
    """Returns the plans with something in them that somebody has to approve; one query, where plans are approved."""
    names = [one.provider.name for one in facts.standings if one.row is not None and one.row.approves_plans]
    found: dict[str, list[Plan]] = {}
    if names:
        waiting = Plan.objects.filter(
            workspace=facts.workspace, integration__in=names, approved_at=None, applied_by=None,
            expires_at__gt=facts.now, counts__operations__gt=0,
        )  # fmt: skip
        for plan in waiting.order_by("-made_at", "-pk")[:MOST_PLANS]:
            found.setdefault(plan.integration, []).append(plan)
    return found


def _forgotten_holds(facts: CompanyFacts, names: Collection[str]) -> Counter[str]:
    told = Problem.objects.open().filter(
        code=ProblemCode.CONFIRMATION_NEEDED, record_id=Cast(OuterRef("pk"), CharField()), workspace=facts.workspace
    )
    holds = Hold.objects.filter(
        ~Exists(told), stream__connection__workspace=facts.workspace, stream__connection__integration__in=names,
        decision="",
    ).exclude(stream__connection__state=ConnectionState.DISCONNECTED)  # fmt: skip
    return Counter(holds.values_list("stream__connection__integration", flat=True))


def _waiting_changes(workspace: Workspace, integration: str) -> int:
    """Returns how many changes of FieldCamp's wait to be sent, `MOST_WAITING` at most."""
    rows = DirtyRow.objects.filter(
        stream__connection__workspace=workspace, stream__connection__integration=integration, stream__is_active=True
    )
    return rows.order_by()[:MOST_WAITING].count()
