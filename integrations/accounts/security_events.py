"""What becomes of accounts of which their vendor says that they were taken over or disabled, or access withdrawn.

What is done for each kind is Google's table: https://developers.google.com/identity/protocols/risc#supported_event_types
Only rows are written here, in the caller's transaction: no vendor is asked, and mails are sent by a worker.
"""

import datetime as dt
from collections.abc import Iterator

import structlog
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django_q.tasks import async_task

from fieldcamp.encryption import DecryptionError, decrypt
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.disconnecting import facts_of
from integrations.accounts.grants import forget_tokens
from integrations.accounts.state import NEEDS_RECONNECT, mark_needs_reconnect
from integrations.models import Connection, ConnectionState, OAuthGrant, Problem
from integrations.providers.base import Provider
from integrations.providers.security_events import EventKind, SecurityEvent

log = structlog.get_logger(__name__)

HIJACKING = "hijacking"
SECOND = dt.timedelta(seconds=1)  # what the times of tokens are rounded to
LATE = dt.timedelta(minutes=5)  # after which a later event may have come before this one
WITHDRAWN = "{vendor} says that this access was withdrawn. Reconnect the account."
TAKEN_OVER = (
    "{vendor} has disabled this account, because somebody else had got into it. FieldCamp has deleted its access. "
    "Secure the account at {vendor}, then reconnect it."
)
DISABLED = "{vendor} has disabled this account. FieldCamp tries again once {vendor} says that it is enabled."
SESSIONS_ENDED = "{vendor} has ended all sessions of this account for its safety. Reconnect the account."


def take_in(provider: Provider, event: SecurityEvent, at: dt.datetime) -> int:
    """Does what an event asks for, which the vendor has sent `at`; how many connections it was about. Runs inside the
    caller's transaction."""
    found = [row for pk in _concerned(provider, event) if (row := _locked(pk, at))]
    for connection in found:
        before = facts_of(connection)
        match event.kind:
            case EventKind.TOKEN_REVOKED | EventKind.TOKENS_REVOKED:
                _end(provider, connection, event, WITHDRAWN, forget=True)
            case EventKind.ACCOUNT_DISABLED if event.reason == HIJACKING:
                _end(provider, connection, event, TAKEN_OVER, forget=True)
            case EventKind.ACCOUNT_DISABLED if not _has_ended(connection):
                _end(provider, connection, event, DISABLED)
                if at < timezone.now() - LATE:  # it may be enabled by now: the next sync asks
                    _try_again(connection)
            case EventKind.SESSIONS_REVOKED if not _has_ended(connection):
                _end(provider, connection, event, SESSIONS_ENDED)
            case EventKind.ACCOUNT_ENABLED:
                _try_again(connection)
        connection.refresh_from_db()
        after = {
            **facts_of(connection),
            "event": event.kind.value,
            **({"reason": event.reason} if event.reason else {}),
        }
        audit_connection("security_event", connection, None, before=before, after=after, vendor=_vendor(provider))
    return len(found)


def _vendor(provider: Provider) -> str:
    return provider.disclosure.vendor


def _concerned(provider: Provider, event: SecurityEvent) -> list[str]:
    """Returns the ids of the connections that an event is about."""
    if event.token_name:
        return sorted(_holders(provider, event))
    if event.account_id:
        mine = Connection.objects.for_account(provider.name, event.account_id)
        return list(mine.order_by("pk").values_list("pk", flat=True))
    return []


def _holders(provider: Provider, event: SecurityEvent) -> Iterator[str]:
    """Yields the ids of connections that hold the token. Tokens are encrypted, so each has to be opened; one whose key
    is missing cannot be, and is left out."""
    assert provider.security_events
    grants = OAuthGrant.objects.filter(connection__integration=provider.name).annotate(
        stored=Cast("refresh_token", TextField())
    )
    for connection_id, stored in grants.exclude(stored="").values_list("connection_id", "stored").iterator():
        try:
            names = provider.security_events.token_names(decrypt(stored))
        except DecryptionError:
            continue
        if names.get(event.token_naming) == event.token_name:
            yield connection_id


def _locked(pk: str, at: dt.datetime) -> Connection | None:
    """Returns the connection, locked against whoever is granting the access anew or disconnecting it; None where that
    was done. What a person has granted after the event was sent is not touched by it: events come late, and twice."""
    row = Connection.objects.connected().select_for_update().filter(pk=pk).first()
    newer = OAuthGrant.objects.filter(connection_id=pk, granted_at__gte=at + SECOND).exists()
    return None if newer else row


def _has_ended(connection: Connection) -> bool:
    """Returns whether the account is known to have ended for good, which nothing less can be added to."""
    return connection.state == ConnectionState.NEEDS_RECONNECT and connection.refused_at is None


def _end(
    provider: Provider, connection: Connection, event: SecurityEvent, sentence: str, *, forget: bool = False
) -> None:
    if forget:
        forget_tokens(connection.pk)
    reason = sentence.format(vendor=_vendor(provider))
    moved = mark_needs_reconnect(connection.pk, reason, mail=False)
    # What was known already is known better now: it is the vendor's word, and not tried again by the schedule.
    rows = Connection.objects.filter(pk=connection.pk, state=ConnectionState.NEEDS_RECONNECT)
    rows.update(refused_at=None, retry_at=None, state_reason=reason)
    open_ones = Problem.objects.open().filter(connection=connection, code=NEEDS_RECONNECT)
    open_ones.update(
        message=f"{connection.account_name}: {reason}"[:500], data={"event": event.kind.value, "kept": not forget}
    )
    log.warning("security_event_taken_in", connection_id=connection.pk, kind=event.kind.value, forgotten=forget)
    if moved:
        pk = connection.pk
        transaction.on_commit(lambda: async_task("integrations.jobs.tasks.tell_of_ended_access", pk), robust=True)


def _try_again(connection: Connection) -> None:
    """Has the schedule try an account that was disabled and is not any more, where its tokens were kept: the first sync
    that is let in heals it, a refusal of the token endpoint ends it."""
    disabled = Problem.objects.open().filter(
        code=NEEDS_RECONNECT, data__event=EventKind.ACCOUNT_DISABLED.value, data__kept=True
    )
    now = timezone.now()
    Connection.objects.filter(
        pk=connection.pk, state=ConnectionState.NEEDS_RECONNECT, pk__in=disabled.values("connection")
    ).update(refused_at=now, retry_at=now)
