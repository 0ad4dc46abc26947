"""What becomes of a connection that cannot go on by itself: its state, one open problem, one mail."""

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.errors import AccessRefused, NeedsPermission, NeedsReconnect, ProblemCode, ProviderError
from integrations.events.connections import connection_moved
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.mail.alerts import alert_needs_person
from integrations.models import BROKEN, Connection, ConnectionState
from integrations.selectors.outages import is_out

# Refusals of an access that is good have to lie so far apart to be believed; then the account is tried again so often.
CONFIRMED_AFTER = dt.timedelta(minutes=10)
TRIED_AGAIN_AFTER = dt.timedelta(hours=1)
NOT_BELIEVED = (
    "Access was refused, although it is good by all that is known. That may be the provider's own trouble, so the next "
    "sync tries again; if it lasts, this account has to be connected again."
)

log = structlog.get_logger(__name__)

NEEDS_RECONNECT, NEEDS_PERMISSION = ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION


def mark_needs_reconnect(connection: Connection | str, reason: str, mail: bool = True) -> bool:
    """Says once that the grant is dead: state, problem, mail. True if this call was the one that said it."""
    return _mark(connection, ConnectionState.NEEDS_RECONNECT, NEEDS_RECONNECT, reason, mail)


def mark_needs_permission(connection: Connection | str, reason: str, mail: bool = True, event: bool = True) -> bool:
    """Says once that the grant lacks a permission; `reason` names it. No mail where the person is looking on, and no
    event where the caller tells what has become of the account."""
    return _mark(connection, ConnectionState.NEEDS_PERMISSION, NEEDS_PERMISSION, reason, mail, event)


def judge(connection: Connection, error: ProviderError, now: dt.datetime) -> tuple[ProblemCode, str]:
    """Returns the code and the sentence of what has ended an account's run, and says that a person has to act where
    that is certain: the token endpoint has said so, or an API that has said it before, `CONFIRMED_AFTER` ago and with
    nothing that went well in between. (One answer of an API is no proof: in a bad hour of theirs all accounts are
    refused, so while a vendor fails for many none is believed.) Where it is our conclusion and not the provider's word,
    the schedule tries the account again now and then.
    """
    verdict = error.verdict if isinstance(error, AccessRefused) else error
    if not isinstance(verdict, NeedsReconnect | NeedsPermission):
        return error.code, str(error)
    row = Connection.objects.filter(pk=connection.pk)
    if not verdict.proven:
        first = row.filter(refused_at=None).update(refused_at=now)
        confirmed = not first and row.filter(refused_at__lte=now - CONFIRMED_AFTER).exists()
        if not confirmed or is_out(connection.integration, now):
            return ProblemCode.PROVIDER_UNAVAILABLE, NOT_BELIEVED
    mark = mark_needs_permission if isinstance(verdict, NeedsPermission) else mark_needs_reconnect
    mark(connection, str(verdict))
    resolve_problems(connection, now=now, codes=[ProblemCode.PROVIDER_UNAVAILABLE], record_ids=[""])
    if verdict.proven:  # the last word, also where we had given the account up before, and were trying it again
        row.filter(state__in=BROKEN).update(refused_at=None, retry_at=None)
    else:
        row.filter(state__in=BROKEN).update(retry_at=now + TRIED_AGAIN_AFTER)
    return verdict.code, str(verdict)


def went_well(connection_id: str, now: dt.datetime) -> None:
    """Takes down that the provider has let this account in: what was concluded without its word has no ground."""
    row = Connection.objects.filter(pk=connection_id)
    broken = row.filter(state__in=BROKEN, refused_at__isnull=False)
    with transaction.atomic(savepoint=False):
        if healed := broken.update(state=ConnectionState.ACTIVE, state_reason="", retry_at=None):
            connection = row.get()
            resolve_problems(connection, now=now, codes=(NEEDS_RECONNECT, NEEDS_PERMISSION))
            connection_moved(connection, ConnectionState.NEEDS_RECONNECT)
        row.exclude(refused_at=None).update(refused_at=None)
    if healed:
        log.info("connection_healed", connection_id=connection_id)


def _mark(
    connection: Connection | str, state: ConnectionState, code: str, reason: str, mail: bool, event: bool = True
) -> bool:
    pk = connection if isinstance(connection, str) else connection.pk
    with transaction.atomic():
        moved = (
            Connection.objects.filter(pk=pk)
            .exclude(state__in=[state, ConnectionState.DISCONNECTED])
            .update(state=state, state_reason=reason[:300], retry_at=None)
        )
        if moved:
            row = Connection.objects.get(pk=pk)
            open_problem(row, code, f"{row.account_name}: {reason}", now=timezone.now())
            if event:
                connection_moved(row, "")
            if mail:
                transaction.on_commit(lambda: alert_needs_person(pk), robust=True)
    if moved:
        log.warning("connection_needs_person", connection_id=pk, standing=state.value)
        if not isinstance(connection, str):
            connection.refresh_from_db()
    return bool(moved)
