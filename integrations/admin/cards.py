"""One block of accounts for each provider, as data: one template shows them all, and a new provider gets its own by
itself."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from integrations.admin.account_rows import TONES, AccountRow, account_rows
from integrations.admin.buttons import Button, cancel_button, connect_button, rights_at
from integrations.admin.intervals import every as in_words
from integrations.models import Connection, ConnectionState, JobStatus, SyncJob
from integrations.queue.planning import interval_minutes_of
from integrations.selectors.company.state import CompanyState
from integrations.selectors.progress import left_in_words, percent_of, seconds_left
from integrations.selectors.standings import Standing
from integrations.services.setup import keeps_books

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
    left: str = ""  # about how long it will take, once that can be said

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
    percent, left = percent_of(job), seconds_left(job, now)
    seconds = (now - job.started_at).total_seconds() if job.started_at else 0
    rate = round(job.done / seconds) or None if seconds >= 2 else None
    return JobProgress(job, stage, percent, rate, left_in_words(left) if left is not None else "")


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
    def sync_url(self) -> str:
        return reverse("integrations:trigger", args=[self.provider.slug])


def state_of(accounts: Iterable[Connection]) -> ConnectionState | None:
    """Returns the state of all of them together: the worst that needs a person; paused only where nothing is active."""
    states = {account.state for account in accounts}
    return next((state for state in _WORST_FIRST if state in states), None)


def _card(found: Standing, desk_user: DeskUser, rows: Mapping[str, AccountRow], now: dt.datetime) -> Card:
    """Builds the block of one provider; the rows of its accounts are by connection."""
    rights = rights_at(desk_user)
    books = [connection for connection in found.accounts if keeps_books(connection)]
    accounts = [rows[connection.pk] for connection in found.accounts]
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


def cards_of(state: CompanyState, desk_user: DeskUser) -> list[Card]:
    """Returns a block for each provider, those with accounts first; the queries are those of `account_rows`."""
    rows = account_rows(state.facts.accounts, state.facts.stalls, desk_user, state.now)
    found = [_card(one, desk_user, rows, state.now) for one in state.standings]
    return sorted(found, key=lambda card: not card.accounts)
