"""What is said of the accounts themselves: lost, given up, paused, not set up, behind."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.models import BROKEN, Connection, ConnectionState
from integrations.selectors.company.facts import STOPPING, CompanyFacts
from integrations.selectors.company.findings import ActsNext, CompanyFinding, FindingKind, Urgency
from integrations.selectors.company.words import clock, day, names, owned, place
from integrations.selectors.stalls import StallCause
from integrations.selectors.standings import Standing

# From the so-manieth failure in a row on it is said when the account will be paused.
TOLD_FROM = 3
_TOLD_OTHERWISE = (StallCause.NO_WORKER,)


def findings_of_accounts(
    facts: CompanyFacts, one: Standing, before: Sequence[CompanyFinding]
) -> Iterator[CompanyFinding]:
    """Yields what is wrong with accounts of one integration, or not simply in step; `before` is said already."""
    asked = {problem.connection_id for problem in facts.of_accounts if problem.code in STOPPING}
    passing = {account.pk for finding in before if finding.urgency is Urgency.PASSES for account in finding.connections}
    by_kind: dict[FindingKind, list[Connection]] = defaultdict(list)
    for account in one.accounts:
        kind = _kind_of(facts, one, account, asked=account.pk in asked, passing=account.pk in passing)
        if kind is not None:
            by_kind[kind].append(account)
    for kind, accounts in by_kind.items():
        if kind in _EACH:
            yield from (_EACH[kind](facts, one, account) for account in accounts)
        else:
            yield _TOGETHER[kind](facts, one, accounts)


def _kind_of(
    facts: CompanyFacts, one: Standing, account: Connection, *, asked: bool, passing: bool
) -> FindingKind | None:
    """Returns the one thing that is said of an account beside its open problems."""
    if account.leaving is not None:
        return FindingKind.LEAVING
    state = account.state_now
    if state in _BY_STATE:
        return None if asked and state not in (ConnectionState.SETUP, ConnectionState.PAUSED) else _BY_STATE[state]
    if state == ConnectionState.PAUSED:
        return FindingKind.PAUSED if account.paused_by_person else FindingKind.GIVEN_UP
    if state != ConnectionState.ACTIVE:
        return FindingKind.UNKNOWN
    stall = facts.stalls.get(account.pk)
    if stall is not None and stall.cause not in _TOLD_OTHERWISE and not (asked or passing):
        return FindingKind.NOT_UP_TO_DATE
    if account.failures >= TOLD_FROM:
        return FindingKind.FAILING
    if account.last_synced_at is None and not _is_synced_now(one, account) and not (asked or passing):
        return FindingKind.NOT_SYNCED_YET
    return None


def _is_synced_now(one: Standing, account: Connection) -> bool:
    """Returns whether the job that runs is about the account: one of another account alone is not."""
    return one.live_job is not None and one.live_job.connection_id in (None, account.pk)


_BY_STATE: dict[str, FindingKind] = {
    ConnectionState.SETUP: FindingKind.SETUP,
    **dict.fromkeys(BROKEN, FindingKind.NO_ACCESS),
    ConnectionState.MEMBER_INACTIVE: FindingKind.PERSON_LEFT,
}


def _page(account: Connection) -> str:
    return reverse("admin:integrations_connection_change", args=[account.pk])


def _no_access(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    return CompanyFinding(
        FindingKind.NO_ACCESS,
        Urgency.STOPS_WORK,
        ActsNext.PERSON,
        _("{account} has to be connected again.").format(account=owned(account)),
        f"{account.account_name}: {account.state_reason or account.get_state_display()}",
        stops=1,
        integration=account.integration,
        connections=(account,),
        next_at=account.retry_at,
        url=_page(account),
        label=_("Open"),
    )


def _setup(facts: CompanyFacts, one: Standing, accounts: Sequence[Connection]) -> CompanyFinding:
    number = len(accounts)
    said = ngettext(
        "{number} account waits to be set up: {accounts}.", "{number} accounts wait to be set up: {accounts}.", number
    )
    return CompanyFinding(
        FindingKind.SETUP,
        Urgency.CAN_WAIT,
        ActsNext.PERSON,
        said.format(number=number, accounts=names(accounts)),
        _("{place}: somebody chooses whose it is and what is synced; the first sync begins after that.").format(
            place=place(one.provider.name)
        ),
        short=names(accounts),
        count=number,
        integration=one.provider.name,
        connections=tuple(accounts),
        url=reverse("integrations:setup", args=[accounts[0].pk]),
        label=_("Finish setting up"),
    )


def _given_up(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    after = ngettext(
        "{account} was paused by FieldCamp after {number} failed run.",
        "{account} was paused by FieldCamp after {number} failed runs.",
        account.failures or settings.PAUSE_AFTER_FAILURES,
    )
    again = account.retry_at
    tried = _("It is tried again at {time}, or when somebody resumes it.").format(
        time=clock(again, facts.zone, facts.now)
    ) if again else _("It waits until somebody resumes it.")  # fmt: skip
    return CompanyFinding(
        FindingKind.GIVEN_UP,
        Urgency.STOPS_WORK,
        ActsNext.PERSON,
        after.format(account=owned(account), number=account.failures or settings.PAUSE_AFTER_FAILURES),
        f"{account.account_name}: {tried}",
        stops=1,
        integration=account.integration,
        connections=(account,),
        next_at=again,
        url=_page(account),
        label=_("See why, or resume"),
    )


def _paused(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    known = facts.pauses.get(account.pk)
    sentence = _("{account} is paused.").format(account=owned(account))
    if known is not None:
        since, who = known
        said = _("{account} is paused since {day} by {person}.") if who else _("{account} is paused since {day}.")
        sentence = said.format(account=owned(account), day=day(since, facts.zone, facts.now), person=who)
    return CompanyFinding(
        FindingKind.PAUSED,
        Urgency.CALM,
        ActsNext.PERSON,
        sentence,
        _("{account}: nothing is synced by itself until somebody resumes it.").format(account=account.account_name),
        integration=account.integration,
        connections=(account,),
        since=known[0] if known else None,
        url=_page(account),
        label=_("Resume"),
    )


def _behind(facts: CompanyFacts, one: Standing, accounts: Sequence[Connection]) -> CompanyFinding:
    first = facts.stalls[accounts[0].pk]
    number = len(accounts)
    said = ngettext(
        "{number} account is not up to date since {time}: {accounts}.",
        "{number} accounts are not up to date since {time}: {accounts}.",
        number,
    )
    since = min(facts.stalls[account.pk].since for account in accounts)
    operator = first.cause in (StallCause.QUEUE, StallCause.MISCONFIGURED, StallCause.INTERNAL_ERROR)
    return CompanyFinding(
        FindingKind.NOT_UP_TO_DATE,
        Urgency.PASSES,
        ActsNext.OPERATOR if operator else ActsNext.FIELDCAMP,
        said.format(number=number, time=clock(since, facts.zone, facts.now), accounts=names(accounts)),
        f"{place(one.provider.name)}: {first.sentence}",
        count=number,
        integration=one.provider.name,
        connections=tuple(accounts),
        since=since,
        next_at=one.next_sync_at,
        url=_page(accounts[0]),
        label=_("Open"),
    )


def _failing(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    left = max(settings.PAUSE_AFTER_FAILURES - account.failures, 1)
    said = _("{account} has failed {number} times in a row, and will be paused after {left} more.")
    return CompanyFinding(
        FindingKind.FAILING,
        Urgency.PASSES,
        ActsNext.FIELDCAMP,
        said.format(account=owned(account), number=account.failures, left=left),
        f"{account.account_name}: {_next(facts, one)}",
        integration=account.integration,
        connections=(account,),
        next_at=one.next_sync_at,
        url=_page(account),
        label=_("See why"),
    )


def _next(facts: CompanyFacts, one: Standing) -> str:
    if one.next_sync_at is None:
        return _("it is tried again when somebody starts a sync.")
    return _("it is tried again at {time}.").format(time=clock(one.next_sync_at, facts.zone, facts.now))


def _not_synced(facts: CompanyFacts, one: Standing, accounts: Sequence[Connection]) -> CompanyFinding:
    number = len(accounts)
    said = ngettext(
        "{number} account has not been synced yet: {accounts}.",
        "{number} accounts have not been synced yet: {accounts}.",
        number,
    )
    when = one.next_sync_at
    first = _("the first sync begins when somebody starts it.") if when is None else _(
        "the first sync begins at {time}."
    ).format(time=clock(when, facts.zone, facts.now))  # fmt: skip
    return CompanyFinding(
        FindingKind.NOT_SYNCED_YET,
        Urgency.CALM,
        ActsNext.FIELDCAMP if when else ActsNext.PERSON,
        said.format(number=number, accounts=names(accounts)),
        f"{place(one.provider.name)}: {first}",
        count=number,
        integration=one.provider.name,
        connections=tuple(accounts),
        next_at=when,
    )


def _leaving(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    return CompanyFinding(
        FindingKind.LEAVING,
        Urgency.CALM,
        ActsNext.FIELDCAMP,
        _("FieldCamp takes its events out of {account}.").format(account=owned(account)),
        _("{account}: it goes on by itself until none is left.").format(account=account.account_name),
        integration=account.integration,
        connections=(account,),
        next_at=account.retry_at,
        url=_page(account),
        label=_("Open"),
    )


def _person_left(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    return CompanyFinding(
        FindingKind.PERSON_LEFT,
        Urgency.CALM,
        ActsNext.PERSON,
        _("{account} is not synced: its person is not active.").format(account=owned(account)),
        _("{account}: an owner or admin can say what becomes of what is in it.").format(account=account.account_name),
        integration=account.integration,
        connections=(account,),
        url=_page(account),
        label=_("Open"),
    )


def _unknown(facts: CompanyFacts, one: Standing, account: Connection) -> CompanyFinding:
    return CompanyFinding(
        FindingKind.UNKNOWN,
        Urgency.CAN_WAIT,
        ActsNext.PERSON,
        _("Something needs a look: {account} ({state}).").format(
            account=owned(account), state=account.get_state_display()
        ),
        integration=account.integration,
        connections=(account,),
        url=_page(account),
        label=_("Open"),
    )


_EACH = {
    FindingKind.NO_ACCESS: _no_access,
    FindingKind.GIVEN_UP: _given_up,
    FindingKind.PAUSED: _paused,
    FindingKind.FAILING: _failing,
    FindingKind.LEAVING: _leaving,
    FindingKind.PERSON_LEFT: _person_left,
    FindingKind.UNKNOWN: _unknown,
}
_TOGETHER = {
    FindingKind.SETUP: _setup,
    FindingKind.NOT_UP_TO_DATE: _behind,
    FindingKind.NOT_SYNCED_YET: _not_synced,
}
