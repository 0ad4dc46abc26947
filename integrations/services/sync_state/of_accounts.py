"""Why nothing of an account, or of one of its calendars or kinds of records, is synced now."""

from collections.abc import Collection

from fieldcamp.workspace.models import Member
from integrations.errors import ProblemCode
from integrations.kinds import SubjectKind
from integrations.models import Connection, ConnectionState, Problem
from integrations.providers.base import Provider
from integrations.selectors.links import (
    connect_url,
    connection_url,
    leaving_url,
    reconnect_url,
    setup_url,
)
from integrations.selectors.standings import PASSING
from integrations.services.problems.causes import cause_of
from integrations.services.problems.fixes import fix_of
from integrations.services.sync_state.facts import AccountFacts
from integrations.services.sync_state.reasons import Explanation, RecordState, SyncReason, because
from integrations.services.sync_state.situation import Situation
from integrations.services.sync_state.wording import day

# Told by the state of the account itself.
_OF_ACCESS = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION, ProblemCode.MEMBER_INACTIVE)


def of_problem(problem: Problem) -> Explanation:
    """Returns what is told of a record that a problem keeps waiting."""
    return Explanation(
        RecordState.PROBLEM,
        cause_of(problem),
        problem.message,
        str(fix_of(problem).sentence),
        (problem.pk,) if problem.pk else (),
    )


def nobody_connected(provider: Provider, technician: Member | None = None) -> Explanation:
    """Returns what is told where the company has no account of this provider, or this technician has none."""
    place = connect_url(provider.name)
    if technician is not None:
        step = f"Have {technician} connect one at {place} or by a connect link, or give the visit to somebody who has."
        if not technician.is_active:
            step = f"Give the visit to somebody who has: {technician} is not active any more."
        return because(
            SyncReason.TECHNICIAN_NOT_CONNECTED,
            f"{technician} has no {provider.label} account that is connected.",
            step,
        )
    return because(SyncReason.NEVER_CONNECTED, f"No {provider.label} account is connected.", f"Connect one at {place}.")


def not_in_use(connection: Connection, provider: Provider) -> Explanation | None:
    """Returns why an account is none that can be synced with: disconnected, or not set up yet; None where it is."""
    if connection.state == ConnectionState.DISCONNECTED:
        since = f" on {day(connection.disconnected_at.date())}" if connection.disconnected_at else ""
        return because(
            SyncReason.DISCONNECTED,
            f"{connection.account_name} was disconnected from {provider.label}{since}; what stands there stays.",
            f"Connect it again at {reconnect_url(connection)}.",
        )
    if connection.state == ConnectionState.SETUP:
        return because(
            SyncReason.SETUP_UNFINISHED,
            f"{connection.account_name} is connected, and it has not been chosen yet what is synced with it.",
            f"Finish its set-up at {setup_url(connection.pk)}.",
        )
    return None


def of_account(account: AccountFacts) -> Explanation | None:
    """Returns why nothing of the account is read or written; None where it is well."""
    connection, label = account.connection, account.provider.label
    told = tuple(problem.pk for problem in account.own_problems if problem.code in _OF_ACCESS)
    name, state = connection.account_name, connection.state_now
    given = f" {connection.state_reason}" if connection.state_reason else ""
    if connection.leaving is not None:
        return because(
            SyncReason.LEAVING,
            f"{name} is being left: FieldCamp's events are taken out of it, and nothing else is done.",
            "Nothing to do, unless the account is to stay: then connect it again once this is done.",
        )
    if state == ConnectionState.NEEDS_RECONNECT:
        return because(
            SyncReason.NEEDS_RECONNECT,
            f"{label} does not let FieldCamp into {name} any more.{given}",
            f"Connect it again at {reconnect_url(connection)}; nothing is lost.",
            problem_ids=told,
        )
    if state == ConnectionState.NEEDS_PERMISSION:
        return because(
            SyncReason.NEEDS_PERMISSION,
            f"{name} is connected without a permission that the sync needs.{given}",
            f"Connect it again at {reconnect_url(connection)} and leave every box ticked.",
            problem_ids=told,
        )
    if state == ConnectionState.MEMBER_INACTIVE:
        return because(
            SyncReason.MEMBER_INACTIVE,
            f"{connection.member or name} is not active any more, so nothing of {name} is read or written.",
            f"Give the visit to somebody else, make the person active again, or decide at {leaving_url(connection.pk)} "
            "what becomes of the account.",
            problem_ids=told,
        )
    if state != ConnectionState.PAUSED:
        return None
    if connection.paused_by_person:
        return because(
            SyncReason.PAUSED,
            f"{name} is paused, and is not synced by itself meanwhile.{given}",
            f"Resume it at {connection_url(connection.pk)}. A sync that is started by hand covers it all the same.",
        )
    return because(
        SyncReason.PAUSED_AFTER_FAILURES,
        f"{name} was paused after failing too often.{given}",
        f"See what is wrong, and resume it at {connection_url(connection.pk)}. It is also tried again by itself.",
    )


def of_stream(situation: Situation) -> Explanation | None:
    """Returns why nothing of this calendar, or of this kind of the books' records, is synced; and what is wrong with
    the account beside its access, where the record has something to wait for."""
    stream, account = situation.stream, situation.account
    is_off = not stream.is_active and stream.let_go_at is None
    if (is_off and situation.to_do) or not (stream.is_active or situation.is_present):
        return not_synced(account, situation.kind.plural)
    for problem in account.problems_of(SubjectKind.STREAM, stream.pk):
        concerns = situation.to_do or problem.code == ProblemCode.CALENDAR_UNAVAILABLE
        if concerns and problem.code not in (*PASSING, ProblemCode.FULL_SYNC_FORCED):
            return of_problem(problem)
    others = (*PASSING, *_OF_ACCESS, ProblemCode.FULL_SYNC_FORCED)
    return first_of(account.own_problems, others) if situation.to_do else None


def not_synced(account: AccountFacts, plural: str) -> Explanation:
    """Returns what is told where the account has no place for records of this kind."""
    return because(
        SyncReason.KIND_NOT_SYNCED,
        f"No {plural} are synced with {account.connection.account_name}.",
        f"Choose that they are, at {setup_url(account.connection.pk)}.",
    )


def first_of(problems: Collection[Problem], but: Collection[str]) -> Explanation | None:
    """Returns the first of these problems that is none of those codes, as what is told of a record."""
    return next((of_problem(problem) for problem in problems if problem.code not in but), None)
