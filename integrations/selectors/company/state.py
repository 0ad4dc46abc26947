"""The state of a company: its findings, and what follows of them: the first page's sentence, what stops work, and the
API's health."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fieldcamp.workspace.models import Workspace
from integrations.kinds import CUSTOMER
from integrations.models import ConnectionState, Link
from integrations.selectors.company.facts import CompanyFacts, facts_of
from integrations.selectors.company.findings import ActsNext, CompanyFinding, FindingKind, Urgency
from integrations.selectors.company.judging import findings_of
from integrations.selectors.company.words import clock
from integrations.selectors.standings import Standing, standings

SHOWN = 3
MOST_LINKS = 10_000
# Nothing is wrong where only these are found: the work is done, except for what somebody has put aside.
_EXCEPTIONS = (FindingKind.IGNORED, FindingKind.NOTICE)
# Told as one, whatever the integration.
_TOLD_TOGETHER = (FindingKind.NEEDS_YOU, FindingKind.SETUP, FindingKind.IGNORED, FindingKind.NOTICE)


@dataclass(frozen=True)
class StateClause:
    """One clause of the sentence; `moving` is what changes while people look on."""

    text: str
    moving: str
    tone: str
    findings: tuple[CompanyFinding, ...]

    @property
    def kind(self) -> FindingKind:
        return self.findings[0].kind

    @property
    def urgency(self) -> Urgency:
        return max(finding.urgency for finding in self.findings)

    @property
    def spoken(self) -> str:
        return next((finding.spoken for finding in self.findings), "")

    @property
    def details(self) -> list[str]:
        """Returns what stands beneath: whom it concerns, who acts next and when."""
        if self.kind is FindingKind.NEEDS_YOU:
            return [f"{', '.join(finding.short for finding in self.findings)}. {self.findings[0].detail}"]
        return [finding.detail for finding in self.findings if finding.detail]


@dataclass(frozen=True)
class CompanyState:
    """How a company stands now. Calm is it only where there is no finding at all."""

    workspace: Workspace
    standings: Sequence[Standing]
    findings: Sequence[CompanyFinding]
    now: dt.datetime
    facts: CompanyFacts

    @property
    def calm(self) -> bool:
        return not self.findings

    @property
    def clauses(self) -> list[StateClause]:
        return clauses_of(self.findings)

    @property
    def shown(self) -> list[StateClause]:
        return self.clauses[:SHOWN]

    @property
    def more(self) -> int:
        return len(self.clauses) - len(self.shown)

    @property
    def rest(self) -> str:
        """Returns what ends the sentence: how much more there is, or that the rest is in step where that is true."""
        if self.more:
            return _("And {number} more.").format(number=self.more)
        return _("Everything else is in step.") if self.rest_is_in_step else ""

    @property
    def rest_is_in_step(self) -> bool:
        """Returns whether something else is synced by itself, and nothing but what is shown is said of it."""
        if self.calm or self._only_exceptions or self.more:
            return False
        if any(finding.kind in (FindingKind.NOBODY_WORKS, FindingKind.NOT_CONNECTED) for finding in self.findings):
            return False
        said = {
            account.pk
            for finding in self.findings
            if finding.kind not in (FindingKind.NEEDS_YOU, *_EXCEPTIONS) or finding.stops
            for account in finding.connections
        }
        whole = {finding.integration for finding in self.findings if finding.kind in (FindingKind.LAST_RUN,)}
        return any(
            account.state_now == ConnectionState.ACTIVE and account.pk not in said and account.last_synced_at
            for one in self.standings
            if one.provider.name not in whole
            for account in one.accounts
        )

    @property
    def _only_exceptions(self) -> bool:
        return bool(self.findings) and all(finding.kind in _EXCEPTIONS for finding in self.findings)

    @property
    def said(self) -> str:
        """Returns the sentence without what moves: what is read out when it changes."""
        parts = [part for clause in self.headline for part in (clause.text, clause.spoken) if part]
        return " ".join([*parts, self.rest]).strip()

    @property
    def headline(self) -> list[StateClause]:
        """Returns the sentence's clauses, of which the calm one has none but itself."""
        if self.calm:
            return [StateClause(_("All in step."), self.checked, "success", ())]
        if not self._only_exceptions:
            return self.shown
        found: list[StateClause] = []
        for clause in self.shown:
            if clause.kind is FindingKind.IGNORED:
                said = _("All in step, except {what}.").format(what=clause.text.rstrip("."))
            elif not found:
                said = _("All in step; {what}").format(what=clause.text)
            else:
                said = clause.text
            found.append(StateClause(said, clause.moving, "success", clause.findings))
        return found

    @property
    def sentence(self) -> str:
        """Returns the whole of it as one text, as mails and tests read it."""
        parts = []
        for clause in self.headline:
            parts.append(clause.text)
            if clause.moving:
                parts.append(clause.moving if self.calm else f"{clause.moving}.")
        return " ".join([*parts, self.rest]).strip()

    @property
    def checked(self) -> str:
        """Returns `Checked 21:30, next at 22:00.`"""
        zone, last = self.facts.zone, self.checked_at
        parts = [_("Checked {time}").format(time=clock(last, zone, self.now))] if last else []
        if self.next_at:
            parts.append(_("next at {time}").format(time=clock(self.next_at, zone, self.now)))
        return f"{', '.join(parts)}." if parts else ""

    @property
    def checked_at(self) -> dt.datetime | None:
        """Returns since when all of it is known to be in step: the oldest of the accounts' last syncs."""
        active = [account for account in self.facts.accounts if account.state_now == ConnectionState.ACTIVE]
        return min((account.last_synced_at for account in active if account.last_synced_at), default=None)

    @property
    def next_at(self) -> dt.datetime | None:
        return min((one.next_sync_at for one in self.standings if one.next_sync_at), default=None)

    @property
    def tone(self) -> str:
        """Returns the colour of the dot beside the sentence: its worst clause's."""
        if self.calm or self._only_exceptions:
            return "success"
        tones = [clause.tone for clause in self.clauses]
        return next((tone for tone in ("danger", "warning", "info") if tone in tones), "muted")

    @property
    def word(self) -> str:
        """Returns the word beside the dot."""
        if self.calm or self._only_exceptions:
            return _("In step")
        if any(finding.kind is FindingKind.RUNNING for finding in self.findings) and self.worst is Urgency.CALM:
            return _("Syncing")
        return {
            Urgency.STOPS_WORK: _("Stops work"),
            Urgency.CAN_WAIT: _("Can wait"),
            Urgency.PASSES: _("Passes by itself"),
            Urgency.CALM: _("As you wanted it"),
        }[self.worst]

    @property
    def worst(self) -> Urgency:
        return max((finding.urgency for finding in self.findings), default=Urgency.CALM)

    @property
    def stops(self) -> int:
        """Returns how many things stop work: the number in the menu."""
        return sum(finding.stops for finding in self.findings)

    @property
    def needs(self) -> int:
        """Returns how many open problems wait for a person, all integrations together."""
        return sum(finding.count for finding in self.findings if finding.kind is FindingKind.NEEDS_YOU)

    def of(self, integration: str) -> list[CompanyFinding]:
        """Returns what is said of one integration, and of everything."""
        return [finding for finding in self.findings if finding.integration in ("", integration)]


def company_state(workspace: Workspace) -> CompanyState:
    """Returns how a company stands now, in a constant number of queries."""
    now, found = timezone.now(), standings(workspace)
    facts = facts_of(workspace, found, now)
    return CompanyState(workspace, found, findings_of(facts), now, facts)


def clauses_of(findings: Sequence[CompanyFinding]) -> list[StateClause]:
    """Returns the clauses, worst first: what is told together is one."""
    clauses: list[StateClause] = []
    for kind in dict.fromkeys(finding.kind for finding in findings):
        some = tuple(finding for finding in findings if finding.kind is kind)
        if kind in _TOLD_TOGETHER:
            clauses.append(StateClause(_together(kind, some), "", max(some, key=_urgency).tone, some))
        else:
            clauses += [StateClause(one.sentence, one.moving, one.tone, (one,)) for one in some]
    return sorted(clauses, key=lambda clause: (-clause.urgency, clause.kind.rank))


def _urgency(finding: CompanyFinding) -> int:
    return finding.urgency


def _together(kind: FindingKind, findings: Sequence[CompanyFinding]) -> str:
    if len(findings) == 1:
        return findings[0].sentence
    number, parts = sum(finding.count for finding in findings), ", ".join(finding.short for finding in findings)
    said = {
        FindingKind.NEEDS_YOU: ngettext("{number} thing needs you.", "{number} things need you.", number),
        FindingKind.SETUP: ngettext(
            "{number} account waits to be set up: {parts}.", "{number} accounts wait to be set up: {parts}.", number
        ),
        FindingKind.IGNORED: ngettext(
            "{number} record that you ignore: {parts}", "{number} records that you ignore: {parts}", number
        ),
        FindingKind.NOTICE: ngettext("{number} thing is good to know.", "{number} things are good to know.", number),
    }[kind]
    return said.format(number=number, parts=parts)


def health_of(one: Standing, findings: Sequence[CompanyFinding]) -> str:
    """Returns ok, degraded (passes by itself, or by whoever runs the site), needs_attention (somebody of the company
    must act) or disconnected."""
    if not one.connected:
        return "disconnected"
    mine = [finding for finding in findings if finding.integration in ("", one.provider.name)]
    if any(finding.needs_person for finding in mine):
        return "needs_attention"
    urgent = any(finding.urgency is not Urgency.CALM or finding.acts is ActsNext.OPERATOR for finding in mine)
    return "degraded" if urgent else "ok"


def in_step_of(state: CompanyState) -> str:
    """Returns `2 calendars and 1 set of books · 1,204 records agree`; one query."""
    accounts = [account for account in state.facts.accounts if account.state_now == ConnectionState.ACTIVE]
    books = sum(CUSTOMER.name in one.provider.kinds for one in state.standings for account in one.accounts
                if account in accounts)  # fmt: skip
    calendars = len(accounts) - books
    parts = []
    if calendars:
        parts.append(ngettext("{number} calendar", "{number} calendars", calendars).format(number=calendars))
    if books:
        parts.append(ngettext("{number} set of books", "{number} sets of books", books).format(number=books))
    links = Link.objects.live().linked().filter(stream__connection__in=[account.pk for account in accounts])
    number = links.filter(unsettled=False, parked=False).order_by()[: MOST_LINKS + 1].count()
    agree = ngettext("{number} record agrees", "{number} records agree", number).format(
        number=f"{number:,}" if number <= MOST_LINKS else f"{MOST_LINKS:,}+"
    )
    return f"{_(' and ').join(parts)} · {agree}" if parts else ""
