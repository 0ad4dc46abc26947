"""An account as a row of the first page's table, as data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from fieldcamp.desk.users import DeskUser
from integrations.accounts.rights import Rights
from integrations.admin.books_card import facts_of
from integrations.admin.buttons import Button, connection_buttons, rights_at, sync_button
from integrations.admin.endings import EndingLine, ending_lines
from integrations.admin.metering import MeterWarning, meter_warnings
from integrations.admin.reconciliation import VerdictLine, verdicts_of
from integrations.models import Connection, ConnectionState, JobPart
from integrations.selectors.metering import calls_today
from integrations.selectors.push import PushState, push_states
from integrations.selectors.runs import last_parts
from integrations.selectors.stalls import Stall
from integrations.services.setup import keeps_books

TONES = {
    ConnectionState.ACTIVE: "success",
    ConnectionState.SETUP: "info",
    ConnectionState.PAUSED: "muted",
    ConnectionState.NEEDS_RECONNECT: "danger",
    ConnectionState.NEEDS_PERMISSION: "danger",
    ConnectionState.MEMBER_INACTIVE: "warning",
    ConnectionState.DISCONNECTED: "muted",
}


@dataclass(frozen=True)
class AccountRow:
    """What the table shows of an account: one `button` if something is to be done, and the others in a menu."""

    connection: Connection
    tone: str
    button: Button | None = None
    menu: list[Button] = field(default_factory=list)
    last_run: str = ""
    facts: str = ""
    verdict: VerdictLine | None = None
    meter: MeterWarning | None = None
    stall: Stall | None = None
    calls: int = 0  # today
    ending: EndingLine | None = None
    push: PushState | None = None

    @property
    def word(self) -> str:
        """Returns what stands beside the dot."""
        return _("Not up to date") if self.stall and self.connection.state == ConnectionState.ACTIVE else str(
            self.connection.get_state_display()
        )  # fmt: skip

    @property
    def mark(self) -> str:
        """Returns the letters of its picture: of the person whose it is, or of the account."""
        words = str(self.connection.member or self.connection.account_name).replace("@", " ").split()
        return "".join(word[0] for word in words[:2] if word).upper()

    @property
    def whose(self) -> str:
        return str(self.connection.member or "")

    @property
    def notes(self) -> bool:
        """Returns whether something of it has to be said beneath the row."""
        paused = self.connection.state != ConnectionState.ACTIVE and self.connection.state_reason
        return bool(self.stall or self.verdict or self.meter or self.ending or self.facts or paused)


def tone_of(connection: Connection, *, stalled: bool) -> str:
    """Returns the colour of its state: no calm one while its data is older than it should be."""
    tone = TONES[ConnectionState(connection.state)]
    return "warning" if stalled and tone == "success" else tone


def account_rows(
    accounts: Sequence[Connection], stalls: Mapping[str, Stall], desk_user: DeskUser, now: dt.datetime
) -> dict[str, AccountRow]:
    """Returns the rows by connection; two queries for consents that end and today's calls, two for pushes, two for last
    runs, and three where there are books."""
    rights = rights_at(desk_user)
    books = [connection for connection in accounts if keeps_books(connection)]
    facts, verdicts = (facts_of(books), verdicts_of(books)) if books else ({}, {})
    meters, endings = meter_warnings(accounts, now), ending_lines(accounts, rights, now)
    calls, pushes, parts = calls_today(accounts, now), push_states(accounts, now), last_parts(accounts)
    found = {}
    for connection in accounts:
        button, menu = _buttons(connection, desk_user, rights)
        found[connection.pk] = AccountRow(
            connection,
            tone_of(connection, stalled=connection.pk in stalls),
            button=button,
            menu=menu,
            last_run=run_in_words(parts.get(connection.pk)),
            facts=facts.get(connection.pk, ""),
            verdict=verdicts.get(connection.pk),
            meter=meters.get(connection.pk),
            ending=endings.get(connection.pk),
            stall=stalls.get(connection.pk),
            calls=calls.get(connection.pk, 0),
            push=pushes.get(connection.pk),
        )
    return found


def _buttons(connection: Connection, desk_user: DeskUser, rights: Rights) -> tuple[Button | None, list[Button]]:
    """Returns what is to be done about it, if anything, and what else may be done. Nothing is red in a row: what
    disconnecting does is said on its own page."""
    buttons = connection_buttons(connection, desk_user, rights)
    first = next((button for button in buttons if button.tone == "primary"), None)
    others = [button.plain() for button in buttons if button is not first]
    only = sync_button(connection, desk_user)
    return first, ([only.renamed(_("Sync only this"))] if only else []) + others


def run_in_words(part: JobPart | None) -> str:
    """Returns `24 sent, 5 taken in` of an account's last run."""
    if part is None:
        return ""
    if part.status in (JobPart.Status.WAITING, JobPart.Status.RUNNING):
        return _("runs now") if part.job.in_flight else _("stopped")
    said = [
        (part.pushed, _("{number} sent")),
        (part.pulled, _("{number} taken in")),
        (part.failed, _("{number} failed")),
    ]
    words = [text.format(number=f"{number:,}") for number, text in said if number]
    if part.status == JobPart.Status.FAILED:
        words = [_("failed"), *words]
    if part.status == JobPart.Status.HELD:
        words.append(_("removals wait for your answer"))
    return ", ".join(words) or _("nothing to do")
