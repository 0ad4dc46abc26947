"""What the findings are made of, out of the database: each state that rows can be in is found again as its finding."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.models import Member
from integrations.accounts.acting import KeyActor
from integrations.models import Connection, Heartbeat, Hold, Plan, Problem, Stream, VendorOutage, WorkspaceIntegration
from integrations.selectors.company.findings import FindingKind
from integrations.selectors.company.state import company_state, in_step_of
from integrations.selectors.dashboard import WORKER
from integrations.selectors.runs import last_parts
from integrations.selectors.status import status
from integrations.selectors.week import week_of
from integrations.services.connections import pause
from tests.integrations import build
from tests.integrations.build import GOOGLE

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
Kind = FindingKind


@pytest.fixture
def well():
    """A company with one account that was synced four minutes ago, and a worker."""
    now = timezone.now()
    company = build.workspace()
    Heartbeat.objects.create(name=WORKER, at=now)
    account = build.connection(company, last_synced_at=now - 4 * MINUTE, fresh_from=now - 4 * MINUTE, connected_at=now)
    WorkspaceIntegration.objects.create(workspace=company, integration=GOOGLE, next_sync_at=now + 26 * MINUTE)
    build.ended(company, "succeeded", {account: "done"}, created_at=now - 5 * MINUTE, finished_at=now - 4 * MINUTE)
    return account


def problem(account, code, **fields):
    return Problem.objects.create(
        workspace=account.workspace, integration=GOOGLE, connection=account, code=code, message="It failed.",
        occurred_at=timezone.now(), **fields,
    )  # fmt: skip


def _ignored(account):
    problem(account, "CONFLICT", record_kind="visit", record_id="vis_1", ignored_at=timezone.now())


def _held(account):
    stream = Stream.objects.create(connection=account, container_id="main")
    hold = Hold.objects.create(stream=stream, removals=10, of=24)
    problem(account, "CONFIRMATION_NEEDED", record_kind="hold", record_id=hold.pk)


def _forgotten(account):
    _held(account)
    Problem.objects.update(resolved_at=timezone.now())


def _plans(account):
    now = timezone.now()
    WorkspaceIntegration.objects.update(approves_plans=True)
    for fields in (
        {}, {"approved_at": now, "approved_by": "olga"}, {"expires_at": now - MINUTE}, {"counts": {"operations": 0}},
        {"counts": {}},
    ):  # fmt: skip
        job = build.ended(account.workspace, "succeeded", {account: "done"}, dry_run=True, created_at=now)
        values = {"expires_at": now + 20 * MINUTE, "counts": {"operations": 2}} | fields
        Plan.objects.create(workspace=account.workspace, integration=GOOGLE, job=job, made_at=now, **values)


def _late(account):
    account.last_synced_at = account.fresh_from = timezone.now() - 90 * MINUTE
    account.save()


STATES = {
    "well": (lambda account: None, []),
    "vendor down": (lambda account: problem(account, "PROVIDER_UNAVAILABLE"), [Kind.VENDOR_DOWN]),
    "outage": (lambda _: VendorOutage.objects.create(integration=GOOGLE, began_at=timezone.now()), [Kind.VENDOR_DOWN]),
    "limited": (lambda account: problem(account, "RATE_LIMITED"), [Kind.VENDOR_WAITS]),
    "question": (lambda account: problem(account, "CONFLICT", record_id="vis_1"), [Kind.NEEDS_YOU]),
    "reconnect": (
        lambda account: (Connection.objects.update(state="needs_reconnect"), problem(account, "NEEDS_RECONNECT")),
        [Kind.NEEDS_YOU],
    ),
    "reconnect, ignored": (
        lambda account: (
            Connection.objects.update(state="needs_reconnect"),
            problem(account, "NEEDS_RECONNECT", ignored_at=timezone.now()),
        ),
        [Kind.NO_ACCESS, Kind.IGNORED],
    ),
    "ignored": (_ignored, [Kind.IGNORED]),
    "notice": (lambda account: problem(account, "EVENT_REMOVED", notice=True), [Kind.NOTICE]),
    "read anew": (lambda account: problem(account, "FULL_SYNC_FORCED"), [Kind.NOTICE]),
    "held": (_held, [Kind.NEEDS_YOU]),
    "held, untold": (_forgotten, [Kind.HELD]),
    "plan": (_plans, [Kind.PLAN_WAITS]),
    "late": (_late, [Kind.NOT_UP_TO_DATE]),
    "paused": (lambda account: pause(connection=account, user=KeyActor("olga")), [Kind.PAUSED]),
    "given up": (lambda _: Connection.objects.update(state="paused", failures=10), [Kind.GIVEN_UP]),
    "queued": (lambda account: build.job(account.workspace, created_at=timezone.now()), [Kind.RUNNING]),
    "queued long": (
        lambda account: build.job(account.workspace, created_at=timezone.now() - 2 * MINUTE), [Kind.QUEUED_LONG]
    ),
    "no worker": (lambda _: Heartbeat.objects.update(at=timezone.now() - 2 * MINUTE), [Kind.NOBODY_WORKS]),
    "disconnected": (lambda _: Connection.objects.update(state="disconnected"), [Kind.NOT_CONNECTED]),
}  # fmt: skip
HEALTH = {
    Kind.NEEDS_YOU: "needs_attention", Kind.NO_ACCESS: "needs_attention", Kind.GIVEN_UP: "needs_attention",
    Kind.HELD: "needs_attention", Kind.PLAN_WAITS: "needs_attention",
    Kind.VENDOR_DOWN: "degraded", Kind.VENDOR_WAITS: "degraded",
    Kind.NOT_UP_TO_DATE: "degraded", Kind.QUEUED_LONG: "degraded", Kind.NOBODY_WORKS: "degraded",
    Kind.NOT_CONNECTED: "disconnected",
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_each_state_is_found_and_page_api_and_mail_agree(well, name):
    plant, kinds = STATES[name]
    plant(well)
    state = company_state(well.workspace)
    assert [finding.kind for finding in state.findings] == kinds
    assert state.calm is (name == "well")
    shown = status(well.workspace, GOOGLE)["health"]
    broken = Connection.objects.get().state in ("needs_reconnect", "disconnected")
    assert shown == ("disconnected" if broken else next((HEALTH[kind] for kind in kinds if kind in HEALTH), "ok"))
    now = timezone.now()
    for part in week_of(well.workspace, now - 7 * 24 * 60 * MINUTE, now + MINUTE):
        assert part.open == state.needs
        told = [finding.sentence for finding in state.findings if finding.kind not in (Kind.NEEDS_YOU, Kind.RUNNING)]
        assert part.now == told


def test_who_paused_it_and_when_is_said(well):
    pause(connection=well, user=KeyActor("olga"))
    assert "is paused since" in company_state(well.workspace).sentence
    assert company_state(well.workspace).sentence.rpartition(" by ")[2] == "olga."
    other = build.workspace("Other Inc.")
    user = User.objects.create_user("olga")
    for company, name in ((well.workspace, "Olga"), (other, "Olga There")):  # called as at this company
        Member.objects.create(workspace=company, user=user, first_name=name)
    assert company_state(well.workspace).sentence.rpartition(" by ")[2] == "Olga."


def test_a_dry_run_does_not_hide_what_the_last_run_came_to(well):
    build.ended(well.workspace, "succeeded", {well: "done"}, dry_run=True, created_at=timezone.now())
    (part,) = last_parts([well]).values()
    assert not part.job.dry_run and last_parts([]) == {}


def test_another_companys_trouble_is_not_ours(well):
    other = build.workspace("Other Inc.")
    account = build.connection(other)
    for code in ("PROVIDER_UNAVAILABLE", "CONFLICT", "MISCONFIGURED"):
        problem(account, code, record_id="vis_2")
    _held(account)
    assert company_state(well.workspace).calm


def test_it_costs_the_same_however_much_there_is(well):
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            in_step_of(company_state(well.workspace))
        return len(captured)

    problem(well, "CONFLICT", record_kind="visit", record_id="vis_0")
    _ignored(well)
    few = queries()
    for number in range(30):
        account = build.connection(well.workspace, last_synced_at=timezone.now(), fresh_from=timezone.now())
        problem(account, "CONFLICT", record_kind="visit", record_id=f"vis_{number}")
        problem(account, "RECORD_REJECTED", record_kind="visit", record_id=f"vis_{number}", ignored_at=timezone.now())
    assert queries() == few <= 22
