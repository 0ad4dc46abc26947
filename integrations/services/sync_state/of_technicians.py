"""How the calendars of people stand: whether what stands there is what FieldCamp shows."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.utils import timezone
from django.utils.translation import override

from fieldcamp.workspace.models import Member
from integrations.kinds import VISIT, SubjectKind
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.selectors.standings import PASSING
from integrations.services.sync_state.facts import AccountFacts, Accounts
from integrations.services.sync_state.of_accounts import nobody_connected, not_in_use, of_account, of_problem
from integrations.services.sync_state.reasons import (
    IN_STEP,
    Explanation,
    RecordState,
    SyncReason,
    because,
)
from integrations.services.sync_state.wording import moment

_WORST = (
    RecordState.PROBLEM, RecordState.HELD, RecordState.NOT_CONNECTED, RecordState.PENDING, RecordState.EXCLUDED,
    RecordState.SYNCED,
)  # fmt: skip


def technicians_states(
    workspace_id: str, members: Collection[Member], now: dt.datetime | None = None
) -> dict[str, Explanation]:
    """Returns by member how their calendars stand, of several the worst. At most nine queries, however many they are.
    Sentences are English, as those of records."""
    now = now or timezone.now()
    calendars = [name for name, provider in PROVIDERS.items() if VISIT.name in provider.kinds]
    rows = Connection.objects.filter(
        workspace=workspace_id, integration__in=calendars, member__in=[member.pk for member in members]
    ).exclude(state=ConnectionState.DISCONNECTED)
    accounts = list(rows.select_related("member").order_by("created_at", "pk"))
    found: dict[str, list[Explanation]] = defaultdict(list)
    with override("en"):
        for account in Accounts(workspace_id, now).of(accounts, "").values():
            found[account.connection.member_id or ""].append(_of(account))
        none = PROVIDERS[calendars[0]]
        return {
            member.pk: min(found[member.pk], key=lambda each: _WORST.index(each.state))
            if found[member.pk]
            else nobody_connected(none, member)
            for member in members
        }


def _of(account: AccountFacts) -> Explanation:
    connection, provider = account.connection, account.provider
    if told := not_in_use(connection, provider) or of_account(account):
        return told
    streams = {stream.pk for stream in account.streams if stream.is_active}
    for problem in account.problems:
        about_it = not problem.record_id or (problem.record_kind == SubjectKind.STREAM and problem.record_id in streams)
        if about_it and problem.code not in PASSING:
            return of_problem(problem)
    if account.outage is not None:
        return because(
            SyncReason.VENDOR_OUTAGE,
            f"{provider.label} fails for everybody since {moment(account.outage.began_at)}.",
            "Nothing to do. It is tried again by itself.",
        )
    if any(stream.is_active and stream.first_synced_at is None for stream in account.streams):
        return because(
            SyncReason.FIRST_SYNC,
            f"The first sync of {connection.account_name} has not ended yet.",
            "Nothing to do, if it runs; else start it.",
        )
    return IN_STEP
