"""One card for each provider, as data: one template shows them all, and a new provider gets its card by itself."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from integrations.admin.books_card import facts_of
from integrations.admin.buttons import Button, cancel_button, connect_button, connection_buttons, rights_at
from integrations.admin.endings import EndingLine, ending_lines
from integrations.admin.intervals import every as in_words
from integrations.admin.metering import MeterWarning, meter_warnings
from integrations.admin.reconciliation import VerdictLine, verdicts_of
from integrations.models import Connection, ConnectionState, JobStatus, SyncJob
from integrations.queue.planning import interval_minutes_of
from integrations.selectors.metering import calls_today
from integrations.selectors.push import PushState, push_states
from integrations.selectors.stalls import Stall, stalls_among
from integrations.selectors.status import Standing, standing, standings
from integrations.services.setup import keeps_books

TONES = {
    ConnectionState.ACTIVE: "success",
    ConnectionState.SETUP: "info",
    ConnectionState.PAUSED: "warning",
    ConnectionState.NEEDS_RECONNECT: "danger",
    ConnectionState.NEEDS_PERMISSION: "danger",
    ConnectionState.MEMBER_INACTIVE: "warning",
    ConnectionState.DISCONNECTED: "muted",
}
# Of several accounts the first of these states that one of them is in is the card's.
_WORST_FIRST = (
    ConnectionState.NEEDS_RECONNECT,
    ConnectionState.NEEDS_PERMISSION,
    ConnectionState.MEMBER_INACTIVE,
    ConnectionState.SETUP,
    ConnectionState.ACTIVE,
    ConnectionState.PAUSED,
)
JOB_TONES = {
    JobStatus.QUEUED: "info",
    JobStatus.RUNNING: "info",
    JobStatus.SUCCEEDED: "success",
    JobStatus.PARTIAL: "warning",
    JobStatus.FAILED: "danger",
    JobStatus.NEEDS_CONFIRMATION: "warning",
    JobStatus.PLANNED: "muted",
    JobStatus.CANCELLED: "muted",
}
STAGES = {"pull": _("Reading changes"), "push": _("Bringing both sides together")}


@dataclass(frozen=True)
class JobProgress:
    """How far a running job is. `percent` is None while nobody can know."""

    job: SyncJob
    stage: str
    percent: int | None
    rate: int | None  # records a second

    @property
    def said(self) -> str:
        """Returns what a screen reader is told: changes with the stage and each tenth of the way."""
        if self.percent is None:
            return self.stage
        # xgettext:no-python-format
        return gettext("{stage}, {percent} % done").format(stage=self.stage, percent=self.percent // 10 * 10)


def progress_of(job: SyncJob, now: dt.datetime) -> JobProgress:
    if job.cancel_requested_at:
        stage = gettext("Stopping")
    elif job.status == JobStatus.QUEUED:
        stage = gettext("Going on shortly") if job.started_at else gettext("Waiting for a worker")
    else:
        stage = str(STAGES.get(job.stage, job.stage.capitalize() or gettext("Starting")))
    percent = min(100 * job.done // job.total, 100) if job.total else None
    seconds = (now - job.started_at).total_seconds() if job.started_at else 0
    return JobProgress(job, stage, percent, round(job.done / seconds) or None if seconds >= 2 else None)


@dataclass(frozen=True)
class AccountRow:
    connection: Connection
    tone: str
    buttons: list[Button]
    facts: str = ""
    verdict: VerdictLine | None = None
    meter: MeterWarning | None = None
    stall: Stall | None = None
    calls: int = 0  # today
    ending: EndingLine | None = None
    push: PushState | None = None


@dataclass(frozen=True)
class Card:
    """Everything that the card's template shows."""

    standing: Standing
    state: str
    tone: str
    accounts: list[AccountRow]
    progress: JobProgress | None
    connect: Button | None
    cancel: Button | None
    may_sync: bool
    now: dt.datetime

    @property
    def provider(self):
        return self.standing.provider

    @property
    def element(self) -> str:
        return f"card-{self.provider.slug}"

    @property
    def disconnected(self) -> int:
        """Returns accounts that are not on the card any more; their history is kept."""
        return len(self.standing.connections) - len(self.accounts)

    @property
    def summary(self) -> str:
        """Returns `Connected · dana@example.com, lee@example.com`."""
        names = ", ".join(row.connection.account_name for row in self.accounts if row.connection.usable)
        return gettext("Connected · {accounts}").format(accounts=names) if names else self.state

    @property
    def said(self) -> str:
        if self.progress:
            return f"{self.provider.label}: {self.progress.said}"
        job = self.standing.last_job
        return f"{self.provider.label}: {self.state}." + (
            " " + gettext("Last sync: {status}.").format(status=job.get_status_display().lower()) if job else ""
        )

    @property
    def last_sync(self) -> dt.datetime | None:
        """Returns when an account was last gone through, be it with questions left over: the API tells whole successes
        only."""
        times = [self.standing.row.last_synced_at] if self.standing.row else []
        times += [account.connection.last_synced_at for account in self.accounts]
        return max((time for time in times if time), default=None)

    @property
    def schedule(self) -> str:
        """Returns `every 30 min`."""
        row = self.standing.row
        return in_words(interval_minutes_of(row) if row else settings.SYNC_INTERVAL_MINUTES)

    @property
    def settings_url(self) -> str:
        return reverse("integrations:integration_settings", args=[self.provider.slug])

    @property
    def every(self) -> str:
        return "2s" if self.progress else "30s"

    @property
    def url(self) -> str:
        return reverse("integrations:card", args=[self.provider.slug])

    @property
    def sync_url(self) -> str:
        return reverse("integrations:trigger", args=[self.provider.slug])


def tone_of(connection: Connection, *, stalled: bool) -> str:
    """Returns the colour of its state: no calm one while its data is older than it should be."""
    tone = TONES[ConnectionState(connection.state)]
    return "warning" if stalled and tone == "success" else tone


def state_of(accounts: Iterable[Connection]) -> ConnectionState | None:
    """Returns the state of all of them together: the worst that needs a person; paused only where nothing is active."""
    states = {account.state for account in accounts}
    return next((state for state in _WORST_FIRST if state in states), None)


def _card(
    found: Standing,
    desk_user: DeskUser,
    facts: Mapping[str, str],
    verdicts: Mapping[str, VerdictLine],
    meters: Mapping[str, MeterWarning],
    endings: Mapping[str, EndingLine],
    stalls: Mapping[str, Stall],
    calls: Mapping[str, int],
    pushes: Mapping[str, PushState],
) -> Card:
    """Builds the card of one provider; what stands beside `found` is by connection."""
    rights = rights_at(desk_user)
    now = timezone.now()
    books = _books([found])
    accounts = [
        AccountRow(
            connection,
            tone_of(connection, stalled=connection.pk in stalls),
            connection_buttons(connection, desk_user, rights),
            facts=facts.get(connection.pk, ""),
            verdict=verdicts.get(connection.pk),
            meter=meters.get(connection.pk),
            ending=endings.get(connection.pk),
            stall=stalls.get(connection.pk),
            calls=calls.get(connection.pk, 0),
            push=pushes.get(connection.pk),
        )
        for connection in found.accounts
    ]
    live, state = found.live_job, state_of(found.accounts)
    behind = state == ConnectionState.ACTIVE and any(account.stall for account in accounts)
    slug = found.provider.slug
    label = gettext("Connect another account") if accounts else gettext("Connect")
    return Card(
        standing=found,
        state=gettext("Not up to date") if behind else str(state.label) if state else gettext("Not connected"),
        tone="warning" if behind else TONES[state] if state else "muted",
        accounts=accounts,
        progress=progress_of(live, now) if live else None,
        connect=connect_button(slug, label, "" if accounts else "primary")
        if rights.may_connect_to(found.provider.name) and not books
        else None,
        cancel=cancel_button(live) if live and desk_user.may("sync") and not live.cancel_requested_at else None,
        may_sync=found.connected and live is None and desk_user.may("sync"),
        now=now,
    )


def _books(found: Iterable[Standing]) -> list[Connection]:
    return [connection for one in found for connection in one.accounts if keeps_books(connection)]


def all_cards(desk_user: DeskUser) -> list[Card]:
    return _cards(standings(desk_user.workspace), desk_user) if desk_user.workspace else []


def one_card(desk_user: DeskUser, integration: str) -> Card | None:
    return _cards([standing(desk_user.workspace, integration)], desk_user)[0] if desk_user.workspace else None


def _cards(found: list[Standing], desk_user: DeskUser) -> list[Card]:
    """Builds their cards; two queries more for consents that end and today's calls, two for pushes, three where there
    are books, and four where an account is stalled."""
    now = timezone.now()
    books = _books(found)
    facts, verdicts = (facts_of(books), verdicts_of(books)) if books else ({}, {})
    accounts = [connection for one in found for connection in one.accounts]
    meters = meter_warnings(accounts, now)
    endings = ending_lines(accounts, rights_at(desk_user), now)
    stalls = _stalls(found, accounts, now)
    calls, pushes = calls_today(accounts, now), push_states(accounts, now)
    return [_card(one, desk_user, facts, verdicts, meters, endings, stalls, calls, pushes) for one in found]


def _stalls(found: list[Standing], accounts: list[Connection], now: dt.datetime) -> dict[str, Stall]:
    freshness = {pk: fresh for one in found for pk, fresh in one.freshness.items()}
    jobs = {(one.live_job.workspace_id, one.live_job.integration): one.live_job for one in found if one.live_job}
    return {stall.connection.pk: stall for stall in stalls_among(accounts, freshness, jobs, now)}
