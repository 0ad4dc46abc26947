"""What is said of vendors that do not answer, or ask us to wait: it passes by itself, and is nobody's task."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.errors import ProblemCode
from integrations.models import Connection, ConnectionState, Problem
from integrations.selectors.company.facts import MOST_WAITING, CompanyFacts
from integrations.selectors.company.findings import ActsNext, CompanyFinding, FindingKind, Urgency
from integrations.selectors.company.words import clock, names, place
from integrations.selectors.standings import PASSING, Standing


def findings_of_vendors(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    """Yields what a vendor does not answer, and where it lets us wait."""
    name = one.provider.name
    problems = [problem for problem in facts.of_accounts if problem.integration == name and problem.code in PASSING]
    down = [problem for problem in problems if problem.code == ProblemCode.PROVIDER_UNAVAILABLE]
    outage = facts.outages.get(name)
    if down or outage:
        since = min([problem.occurred_at for problem in down] + ([outage.began_at] if outage else []))
        yield _down(facts, one, down, since, everybody=outage is not None)
    limited = {problem.connection_id for problem in problems if problem.code == ProblemCode.RATE_LIMITED}
    told = {problem.connection_id for problem in down}
    waiting = [each for each in one.accounts if each.pk not in told and (each.pk in limited or _waits(facts, each))]
    if waiting:
        yield _limited(facts, one, waiting)


def _waits(facts: CompanyFacts, account: Connection) -> bool:
    waits = account.retry_at is not None and account.retry_at > facts.now
    return waits and account.state == ConnectionState.ACTIVE and account.leaving is None


def _down(
    facts: CompanyFacts, one: Standing, problems: list[Problem], since: dt.datetime, *, everybody: bool
) -> CompanyFinding:
    met = {problem.connection_id for problem in problems}
    active = [account for account in one.accounts if account.state == ConnectionState.ACTIVE]
    accounts = [account for account in one.accounts if account.pk in met or (everybody and account in active)]
    some = not everybody and any(account.pk not in met for account in active)
    said = _("{place} does not answer for {accounts} since {time}.") if some else _(
        "{place} does not answer since {time}."
    )  # fmt: skip
    sentence = said.format(
        place=place(one.provider.name), accounts=names(accounts), time=clock(since, facts.zone, facts.now)
    )
    again = _next_try(one, accounts, facts.now)
    return CompanyFinding(
        FindingKind.VENDOR_DOWN,
        Urgency.PASSES,
        ActsNext.VENDOR,
        f"{sentence} {_again(facts, again)}{_waiting(facts, one.provider.name)}",
        _("{place}: there is nothing to do. It goes on by itself as soon as it answers.").format(
            place=place(one.provider.name)
        ),
        integration=one.provider.name,
        connections=tuple(accounts),
        since=since,
        next_at=again,
        url=reverse("integrations:trigger", args=[one.provider.slug]),
        label=_("Try now"),
    )


def _next_try(one: Standing, accounts: list[Connection], now: dt.datetime) -> dt.datetime | None:
    waits = [account.retry_at for account in accounts if account.retry_at and account.retry_at > now]
    if one.live_job is not None and one.live_job.run_after and one.live_job.run_after > now:
        waits.append(one.live_job.run_after)
    planned = one.next_sync_at
    if planned is not None and planned <= now:
        planned = now
    times = [max(max(waits), planned) if waits and planned else planned] if planned else waits
    return min((time for time in times if time), default=None)


def _again(facts: CompanyFacts, again: dt.datetime | None) -> str:
    if again is None:
        return _("FieldCamp tries again with the next sync that somebody starts; nothing is lost")
    if again <= facts.now:
        return _("FieldCamp tries again in a moment; nothing is lost")
    return _("FieldCamp tries again at {time}; nothing is lost").format(time=clock(again, facts.zone, facts.now))


def _waiting(facts: CompanyFacts, name: str) -> str:
    """Returns `, 14 changes wait.`"""
    number = facts.waiting_changes.get(name, 0)
    if not number:
        return "."
    said = f"{number:,}" if number < MOST_WAITING else _("more than {number}").format(number=f"{MOST_WAITING - 1:,}")
    return ngettext(", {number} change waits.", ", {number} changes wait.", number).format(number=said)


def _limited(facts: CompanyFacts, one: Standing, accounts: list[Connection]) -> CompanyFinding:
    name = place(one.provider.name)
    times = [account.retry_at for account in accounts if account.retry_at and account.retry_at > facts.now]
    again = min(times) if times else one.next_sync_at
    if again is None or again <= facts.now:
        when = _("FieldCamp tries again with the next sync; nothing is lost")
    else:
        when = _("FieldCamp goes on at {time}; nothing is lost").format(time=clock(again, facts.zone, facts.now))
    return CompanyFinding(
        FindingKind.VENDOR_WAITS,
        Urgency.PASSES,
        ActsNext.FIELDCAMP,
        _("{place} takes no more requests of {accounts} at present.").format(place=name, accounts=names(accounts))
        + f" {when}{_waiting(facts, one.provider.name)}",
        _("{place}: there is nothing to do.").format(place=name),
        integration=one.provider.name,
        connections=tuple(accounts),
        next_at=again,
    )
