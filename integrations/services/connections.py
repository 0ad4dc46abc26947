"""What can be done with a connection: take a grant, set up, pause, resume, disconnect, check again."""

from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from fieldcamp.encryption import encrypt
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.accounts.channels import stop_channels
from integrations.accounts.clients import token_source
from integrations.accounts.consent import ConsentRequest
from integrations.accounts.disconnecting import disconnect, facts_of
from integrations.accounts.grants import OrmGrantStore, token_values
from integrations.accounts.people import follow_members
from integrations.accounts.rights import NotAllowed, rights_of
from integrations.accounts.state import NEEDS_PERMISSION, NEEDS_RECONNECT, mark_needs_permission, mark_needs_reconnect
from integrations.events.connections import connection_granted, connection_moved
from integrations.ledger.problems import resolve_problems
from integrations.models import Connection, ConnectionState, OAuthGrant
from integrations.models.accounts import digest_of
from integrations.providers import PROVIDERS
from integrations.push.channels import reopen
from integrations.records import Account, Tokens
from integrations.services.jobs import require_usable
from integrations.services.setup import (
    SetupError,
    forget_calendars,
    keeps_books,
    list_containers,
    other_connections,
    ready_state,
    set_up,
    suggest_member,
)
from integrations.transport.tokens import lacking, missing_permissions

__all__ = [
    "NotAllowed", "OtherAccount", "SetupError", "accept_consent", "disconnect", "list_containers",
    "mark_needs_permission", "mark_needs_reconnect", "pause", "recheck", "resume", "set_up", "suggest_member",
    "take_grant",
]  # fmt: skip

log = structlog.get_logger(__name__)


class OtherAccount(Exception):
    """A connection was to be renewed, but another account consented. `taken`: that one has a connection of its own."""

    def __init__(self, connection: Connection, account: Account, taken: bool = False):
        self.connection, self.account, self.taken = connection, account, taken
        self.keeps_books = keeps_books(connection)
        super().__init__(f"{account.name} was chosen instead of {connection.account_name}.")

    def told(self) -> dict[str, Any]:
        """Returns what a page says of it, as it can be kept in a session."""
        return {
            "account": {"name": self.account.name},
            "connection": {"pk": self.connection.pk, "account_name": self.connection.account_name},
            "taken": self.taken,
            "keeps_books": self.keeps_books,
        }


def accept_consent(
    *, intent: ConsentRequest, integration: str, user: User, account: Account, tokens: Tokens
) -> Connection:
    """Takes the grant that a consent has brought, if its starter may still have it. Raises NotAllowed, OtherAccount."""
    workspace = Workspace.objects.get(pk=intent.workspace_id)
    rights = rights_of(user, workspace)
    reconnect = None
    if intent.connection_id:
        reconnect = Connection.objects.filter(
            pk=intent.connection_id, workspace=workspace, integration=integration
        ).first()
        if reconnect is None:
            raise NotAllowed
    known = Connection.objects.for_account(integration, account.id).filter(workspace=workspace).first()
    for row in (reconnect, known):
        if row is not None and not rights.may_change(row):
            raise NotAllowed
    if not rights.may_connect_to(integration):
        raise NotAllowed
    return take_grant(
        workspace=workspace,
        integration=integration,
        account=account,
        tokens=tokens,
        user=user,
        reconnect=reconnect,
        confirm_switch=intent.switch,
    )


def take_grant(
    *,
    workspace: Workspace,
    integration: str,
    account: Account,
    tokens: Tokens,
    user: User | None,
    reconnect: Connection | None = None,
    confirm_switch: bool = False,
) -> Connection:
    """Takes the account's grant into its connection. A known account takes up its row, with links and cursors.

    Raises OtherAccount where `reconnect` is another account's and the switch is not confirmed.
    """
    now = timezone.now()
    if reconnect is not None and not reconnect.is_of(account.id) and confirm_switch:
        stop_channels(reconnect)  # while its tokens are the old account's
    with transaction.atomic():
        rows = Connection.objects.select_for_update().filter(workspace=workspace, integration=integration)
        connection = rows.for_account(integration, account.id).first()
        before = facts_of(reconnect or connection)
        replaced = None
        if reconnect is not None and not reconnect.is_of(account.id):
            books = keeps_books(reconnect)
            free = connection is None or (books and connection.state == ConnectionState.DISCONNECTED)
            if not (free and confirm_switch):
                raise OtherAccount(reconnect, account, taken=not free)
            if books:  # its links and documents stay with the company that they belong to
                replaced = reconnect
            else:
                connection = rows.get(pk=reconnect.pk)
                forget_calendars(connection)
        if connection is None:
            # Two tabs may bring the same account at once; the second finds the row of the first.
            connection, _ = Connection.objects.get_or_create(
                workspace=workspace,
                integration=integration,
                account_digest=digest_of(account.id),
                defaults={"sealed_account_id": encrypt(account.id), "account_name": account.name},
            )
        elif connection.state == ConnectionState.DISCONNECTED and _member_is_taken(connection):
            connection.member = None
            forget_calendars(connection)
        state = connection.state
        connection.account_id, connection.account_name = account.id, account.name
        connection.connected_by, connection.connected_at = user, now
        connection.disconnected_at = connection.revoked_at_provider = connection.retry_at = None
        connection.failures, connection.leaving, connection.refused_at = 0, None, None
        connection.fresh_from = now
        connection.state, connection.state_reason = ready_state(connection), ""
        connection.save()
        # What it holds is replaced unread: connecting again is what helps where the key of it is lost.
        grant, _ = OAuthGrant.objects.only("pk").get_or_create(connection=connection)
        OAuthGrant.objects.filter(pk=grant.pk).update(
            version=F("version") + 1, granted_at=now, **token_values(tokens, now)
        )
        resolve_problems(
            connection,
            now=timezone.now(),
            codes=(
                NEEDS_RECONNECT,
                NEEDS_PERMISSION,
            ),
        )
        needed = PROVIDERS[integration].permissions
        # An answer without a scope grants what was asked: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
        if tokens.scopes is not None and (missing := missing_permissions(needed, tokens.scopes)):
            mark_needs_permission(connection, str(lacking(missing)), mail=False, event=False)
        connection_granted(connection, state, user=user)
        if connection.member_id:
            follow_members(connection.member_id)
            connection.refresh_from_db(fields=["state", "state_reason"])
        reopen([connection.pk], now, "The account was connected again.")
        audit_connection("connected", connection, user, before=before, after=facts_of(connection))
    log.info("connection_connected", connection_id=connection.pk, integration=integration, standing=connection.state)
    if replaced is not None:
        disconnect(connection=replaced, user=user)
    return connection


def _member_is_taken(connection: Connection) -> bool:
    return other_connections(connection, connection.member_id).exists() if connection.member_id else False


def pause(*, connection: Connection, user: Actor | None) -> Connection:
    """Takes the connection off the schedule until a person resumes it; it can still be synced by hand. Of what a person
    has paused already nothing changes. Raises NotConnected where it cannot be synced at all."""
    reason = f"Paused by {user}."[:300] if user else "Paused."
    with transaction.atomic():
        locked = _locked(connection)
        if locked.state == ConnectionState.PAUSED and locked.paused_by_person:
            connection.refresh_from_db()
            return connection
        before = facts_of(locked)
        Connection.objects.usable().filter(pk=connection.pk).update(
            state=ConnectionState.PAUSED, paused_by_person=True, state_reason=reason
        )
        connection.refresh_from_db()
        connection_moved(connection, before["state"], user=user)
        audit_connection("paused", connection, user, before=before, after=facts_of(connection))
    log.info("connection_paused", connection_id=connection.pk)
    return connection


def resume(*, connection: Connection, user: Actor | None) -> Connection:
    """Puts a paused connection back on the schedule; of one that is on it nothing changes. Raises NotConnected where it
    cannot be synced at all."""
    with transaction.atomic():
        locked = _locked(connection)
        if locked.state == ConnectionState.ACTIVE and not locked.paused_by_person:
            connection.refresh_from_db()
            return connection
        before = facts_of(locked)
        Connection.objects.filter(pk=connection.pk).update(paused_by_person=False)
        Connection.objects.filter(pk=connection.pk, state=ConnectionState.PAUSED).update(
            state=ConnectionState.ACTIVE, state_reason="", failures=0, retry_at=None, fresh_from=timezone.now()
        )
        connection.refresh_from_db()
        connection_moved(connection, before["state"], user=user)
        audit_connection("resumed", connection, user, before=before, after=facts_of(connection))
    log.info("connection_resumed", connection_id=connection.pk, by=str(user))
    return connection


def _locked(connection: Connection) -> Connection:
    rows = Connection.objects.select_for_update(of=("self",)).select_related("member", "workspace")
    locked = rows.get(pk=connection.pk)
    require_usable(locked)
    return locked


def recheck(*, connection: Connection) -> Connection:
    """Asks the provider for a fresh token now; a missing permission that is there again lets the connection go on.

    Raises ProviderError where it is not well.
    """
    provider = PROVIDERS[connection.integration]
    held = OrmGrantStore(connection.pk).read().access_token
    token_source(connection, provider).renewed(rejected=held)
    if connection.state == ConnectionState.NEEDS_PERMISSION:
        lacking_until_now = Connection.objects.filter(pk=connection.pk, state=ConnectionState.NEEDS_PERMISSION)
        with transaction.atomic():
            moved = lacking_until_now.update(state=ready_state(connection), state_reason="")
            resolve_problems(connection, now=timezone.now(), codes=(NEEDS_PERMISSION,))
            connection.refresh_from_db()
            if moved:
                connection_moved(connection, ConnectionState.NEEDS_PERMISSION)
    return connection
