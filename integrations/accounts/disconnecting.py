"""Ending a connection: its tokens are forgotten and withdrawn at the provider; its history stays."""

import structlog
from django.db import transaction
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.channels import forget_channels, stop_channels
from integrations.accounts.grants import forget_tokens
from integrations.errors import ProviderError
from integrations.events.connections import connection_moved
from integrations.ledger.call_rows import forget_calls_of
from integrations.ledger.problems import resolve_problems
from integrations.models import Connection, ConnectionState, Hold, Link, OAuthGrant
from integrations.providers import PROVIDERS
from integrations.transport.client import HttpClient

log = structlog.get_logger(__name__)


def facts_of(connection: Connection | None) -> dict[str, str]:
    """Returns what the audit trail says of a connection."""
    if connection is None:
        return {}
    return {"account": connection.account_name, "state": connection.state, "state_reason": connection.state_reason}


def disconnect(*, connection: Connection, user: Actor | None, by: str = "", note: str = "") -> Connection:
    """Ends the connection: tokens wiped, access revoked at the provider unless another connection uses the account,
    which would end with it. That may be another company's, and so is told to nobody.

    `by` names whoever is not there any more, for whom this is done later; `note` is added to the reason. History, links
    and calendar events stay, the calls behind records go. `revoked_at_provider` stays empty where the provider could
    not be told. Of what is disconnected already nothing changes.
    """
    now = timezone.now()
    stop_channels(connection)  # the vendor wants the token for that
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if connection.state == ConnectionState.DISCONNECTED and not _token_of(connection):
            return connection
        before, state = facts_of(connection), connection.state
        token = _token_of(connection)
        forget_tokens(connection.pk)
        connection.state, connection.disconnected_at = ConnectionState.DISCONNECTED, now
        who = str(user or by)
        reason = f"Disconnected by {who}." if who else "Disconnected."
        connection.state_reason = f"{reason} {note}".strip()[:300]
        connection.paused_by_person, connection.retry_at, connection.failures = False, None, 0
        connection.leaving = connection.refused_at = None
        connection.save()
        forget_channels(connection)
        forget_calls_of(connection)
        _close_questions(connection)
        connection_moved(connection, state, user=user)
        shared = Connection.objects.connected().same_account(connection).exists()
        audit_connection("disconnected", connection, user, before=before, after=facts_of(connection))
    log.info("connection_disconnected", connection_id=connection.pk, by=who, shared=shared)
    if token and not shared and PROVIDERS[connection.integration].revoke:
        _revoke(connection, token)
    return connection


def _close_questions(connection: Connection) -> None:
    """Closes everything that is open of an account that nothing is synced with any more. What waited for an answer is
    looked at anew, and asked anew if need be, should the account be connected again."""
    Link.objects.filter(stream__connection=connection, hold__decision="").update(hold=None)
    Hold.objects.filter(stream__connection=connection, decision="").delete()
    parked = Link.objects.live().filter(stream__connection=connection, parked=True, intent__isnull=True)
    parked.update(parked=False, unsettled=True)
    resolve_problems(connection, now=timezone.now())


def withdraw(integration: str, account_id: str, token: str) -> None:
    """Gives back to the vendor what a consent has brought that is not taken, unless a connection uses the account: it
    would end with it. What cannot be given back is forgotten all the same."""
    provider = PROVIDERS[integration]
    if provider.revoke is None or Connection.objects.connected().for_account(integration, account_id).exists():
        return
    try:
        provider.revoke(HttpClient(provider, None), token)
    except ProviderError as error:
        log.warning("withdrawal_failed", integration=integration, error=type(error).__name__)


def _token_of(connection: Connection) -> str:
    """Returns the token that ends the access; "" where there is none, or it cannot be read: then it is forgotten."""
    try:
        grant = OAuthGrant.objects.filter(connection=connection).first()
    except DecryptionError:
        log.warning("token_unreadable", connection_id=connection.pk)
        return ""
    return (grant.refresh_token or grant.access_token) if grant else ""


def _revoke(connection: Connection, token: str) -> None:
    provider = PROVIDERS[connection.integration]
    assert provider.revoke
    try:
        provider.revoke(HttpClient(provider, None, connection_id=connection.pk), token)
    except ProviderError as error:
        log.warning("revoke_failed", connection_id=connection.pk, error=type(error).__name__)
        return
    connection.revoked_at_provider = timezone.now()
    connection.save(update_fields=["revoked_at_provider"])
