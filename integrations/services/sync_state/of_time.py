"""Why a record that goes on by itself has not done so yet."""

import datetime as dt

from integrations.kinds import SubjectKind
from integrations.ledger.pairs import is_abandoned
from integrations.models import ConnectionState, SyncJob
from integrations.providers import PROVIDERS
from integrations.selectors.metering import limit_of, midnight_after
from integrations.selectors.stalls import BUSY
from integrations.selectors.standings import PASSING
from integrations.services.sync_state.facts import AccountFacts
from integrations.services.sync_state.of_records import NOTHING_TO_DO, why_absent
from integrations.services.sync_state.reasons import Explanation, SyncReason, because
from integrations.services.sync_state.situation import Situation
from integrations.services.sync_state.wording import ago, moment
from integrations.sync.state import Action

START = "Start a sync."


def of_time(situation: Situation) -> Explanation | None:
    """Returns what the next step of a record waits for; None where both sides are as they should be."""
    if not situation.to_do:
        return None
    account, open_now = situation.account, what_is_open(situation)
    if _is_given_up(situation):
        return because(
            SyncReason.WRITE_UNRESOLVED,
            f"{situation.label} has not said whether it has taken what was sent last.",
            "Edit the record: it is looked for there before it is sent again.",
        )
    if not situation.is_looked_at:
        return because(
            SyncReason.FULL_SYNC_NEEDED,
            f"{open_now} It has not changed since the last sync, so the next one passes over it.",
            "Start a full sync.",
        )
    return _of_account(account, situation, open_now) or _of_schedule(situation, open_now)


def _of_account(account: AccountFacts, situation: Situation, open_now: str) -> Explanation | None:
    connection, label, now = account.connection, account.provider.label, account.now
    if _is_late(account) and not account.queue.somebody_works:
        return because(
            SyncReason.NO_WORKER,
            f"{open_now} Nothing is synced at present, as no worker runs.",
            "Whoever runs this site has to start the worker (manage.py worker).",
        )
    if account.outage is not None:
        since = moment(account.outage.began_at)
        return because(
            SyncReason.VENDOR_OUTAGE,
            f"{open_now} {label} does not answer for many of its customers since {since}.",
            f"{NOTHING_TO_DO} It goes on by itself as soon as {label} answers.",
        )
    if connection.retry_at is not None and connection.retry_at > now:
        return _of_limit(account, connection.retry_at, open_now)
    passing = [*account.own_problems, *account.problems_of(SubjectKind.STREAM, situation.stream.pk)]
    if problem := next((each for each in passing if each.code in PASSING), None):
        return because(
            SyncReason.PROVIDER_UNAVAILABLE,
            f"{open_now} {problem.message}",
            f"{NOTHING_TO_DO} It is tried again by itself{_when(account)}.",
            problem_ids=(problem.pk,),
        )
    if connection.backs_off_until is not None and connection.backs_off_until > now:
        return because(
            SyncReason.BACKS_OFF,
            f"{open_now} The last sync of {connection.account_name} has failed, so what is saved starts none before "
            f"{moment(connection.backs_off_until)}.",
            f"{NOTHING_TO_DO} It is tried again by itself{_when(account)}; a sync that you start tries it at once.",
        )
    return _of_job(account.job, open_now) if account.job is not None else None


def _of_limit(account: AccountFacts, retry_at: dt.datetime, open_now: str) -> Explanation:
    label, until = account.provider.label, moment(retry_at)
    provider = PROVIDERS[account.connection.integration]
    limit = limit_of(account.connection.metered_reads_per_day, provider)
    if limit and retry_at == midnight_after(account.now):
        return because(
            SyncReason.READS_USED_UP,
            f"{open_now} The {limit:,} reads a day that {label} may bill for {account.connection.account_name} are "
            f"used up until {until}.",
            f"{NOTHING_TO_DO} It goes on then; an owner or admin can allow more on the account's page.",
        )
    return because(
        SyncReason.RATE_LIMITED,
        f"{open_now} {label} has asked to be left alone until {until}.",
        f"{NOTHING_TO_DO} It goes on by itself then.",
    )


def _of_job(job: SyncJob, open_now: str) -> Explanation:
    wait = f"{NOTHING_TO_DO} Ask again when job {job.pk} has ended."
    if job.started_at is None:
        return because(SyncReason.SYNC_QUEUED, f"{open_now} A sync is about to begin.", wait)
    return because(SyncReason.SYNC_RUNNING, f"{open_now} A sync is running since {moment(job.started_at)}.", wait)


def _of_schedule(situation: Situation, open_now: str) -> Explanation:
    account, stream = situation.account, situation.stream
    prompt = _is_prompt(situation)
    if account.schedule is not None and not account.schedule.interval_minutes and not prompt:
        return because(SyncReason.BY_HAND_ONLY, f"{open_now} Nothing is synced by schedule here.", START)
    if stream.first_synced_at is None:
        sentence = f"{open_now} The first sync of {account.connection.account_name} has not ended yet."
        return because(SyncReason.FIRST_SYNC, sentence, _next_step(account, prompt=False))
    if situation.link is not None and situation.link.intent is not None:
        sentence = f"{open_now} It was sent, and {situation.label} has not said that it was taken."
        return because(SyncReason.WRITE_UNCONFIRMED, sentence, _next_step(account, prompt=prompt))
    return because(SyncReason.WAITS_FOR_SYNC, open_now, _next_step(account, prompt=prompt))


def _is_given_up(situation: Situation) -> bool:
    """Returns whether a write without an answer could not be looked for, and is left alone until the record is
    edited."""
    return is_abandoned(situation.link) and situation.dirty is None


def _is_prompt(situation: Situation) -> bool:
    """Returns whether what was saved is about to be synced without waiting for the schedule: no run has looked at it
    since, and not the first one, which a person or the schedule begins."""
    schedule, stream, changed = situation.account.schedule, situation.stream, situation.changed_at
    if schedule is None or not schedule.sync_on_save or changed is None or stream.first_synced_at is None:
        return False
    if situation.account.connection.state != ConnectionState.ACTIVE:
        return False
    return stream.looked_at is None or changed > stream.looked_at


def _next_step(account: AccountFacts, *, prompt: bool) -> str:
    if prompt:
        return f"{NOTHING_TO_DO} What is saved is synced within two minutes; start a sync to have it at once."
    if when := _when(account):
        return f"{NOTHING_TO_DO} The next sync comes{when}; start one to have it at once."
    return START


def _when(account: AccountFacts) -> str:
    schedule = account.schedule
    if schedule is None or schedule.next_sync_at is None or account.connection.state != ConnectionState.ACTIVE:
        return ""
    return f" at {moment(schedule.next_sync_at)}" if schedule.next_sync_at > account.now else " within a minute"


def _is_late(account: AccountFacts) -> bool:
    """Returns whether what should have begun by now has not."""
    job, schedule = account.job, account.schedule
    if job is not None:
        return job.started_at is None and account.now - job.created_at > BUSY
    due = schedule.next_sync_at if schedule else None
    return due is not None and account.now - due > BUSY


def what_is_open(situation: Situation) -> str:
    """Returns what is still to be done about the record, as a sentence."""
    kind, label, action = situation.kind, situation.label, situation.decision.action
    changed = situation.changed_at
    saved = f", saved {ago(changed, situation.now)}," if changed else ""
    if action is Action.CREATE_REMOTE:
        lately = f"; it was saved {ago(changed, situation.now)}" if changed else ""
        return f"The {kind.singular} is not in {label} yet{lately}."
    if action is Action.UPDATE_REMOTE:
        return f"The last change of the {kind.singular}{saved} is not in {label} yet."
    if action is Action.REMOVE_REMOTE:
        return f"{_why_removed(situation)} Its {kind.counterpart} is still in {label}, and is to be taken away."
    if action in (Action.CUT, Action.REMOVE_LOCAL):
        return f"Its {kind.counterpart} was removed in {label}."
    if action is Action.PULL:
        seen = situation.link.seen_at if situation.link else None
        lately = f", seen {ago(seen, situation.now)}," if seen else ""
        return f"A change made in {label}{lately} is not in FieldCamp yet."
    return f"The {kind.singular} and its {kind.counterpart} in {label} are not equal yet."


def _why_removed(situation: Situation) -> str:
    if situation.absence is None:
        return f"The {situation.kind.singular} has no place there any more."
    found = why_absent(situation.record, situation.kind, situation.absence, situation.label, situation.since)
    return found.sentence if found else f"The {situation.kind.singular} belongs into another calendar now."
