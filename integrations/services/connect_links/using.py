"""Following a connect link: what a consent that was given through one comes to."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from fieldcamp.webhooks.recording import record_event
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.disconnecting import withdraw
from integrations.models import Connection, ConnectionState, ConnectLink, ConnectLinkState, ReturnAddress
from integrations.models.accounts import digest_of
from integrations.providers import PROVIDERS
from integrations.records import Account, Tokens
from integrations.selectors.connect_links import connect_link_row, connect_links
from integrations.services.connect_links.making import audit_link
from integrations.services.connections import OtherAccount, take_grant
from integrations.services.setup import books_of, forget_calendars
from integrations.transport.tokens import missing_permissions

log = structlog.get_logger(__name__)


class LinkRefusal(StrEnum):
    """Why a consent was not taken; each has its words on the link's page."""

    OVER = "over"  # the link: used, expired or revoked, the page says which
    OTHER_ACCOUNT = "other_account"  # another one of theirs is connected
    OF_SOMEBODY = "of_somebody"  # the account is, or was, somebody else's here
    LACKS_PERMISSION = "lacks_permission"  # a box was left empty


@dataclass(eq=False)
class LinkRefused(Exception):
    """The consent has come to nothing, and what it brought has been given back to the vendor."""

    reason: LinkRefusal
    account: str = ""
    connected: str = ""  # the account that the link would renew
    missing: tuple[str, ...] = field(default=())

    def told(self) -> dict[str, Any]:
        """Returns what a page says of it, as it can be kept in a session."""
        return {"account": self.account, "connected": self.connected, "missing": list(self.missing)}


def renewed_by(link: ConnectLink) -> Connection | None:
    """Returns the account that the link renews: the one that its person, or the company's books, are connected with
    already. No other can be connected with it then."""
    if link.member_id is None:
        return books_of(link.workspace, link.integration)
    mine = Connection.objects.connected().filter(workspace=link.workspace_id, integration=link.integration)
    return mine.filter(member=link.member_id).first()


def accept_by_link(*, link_id: str, integration: str, account: Account, tokens: Tokens) -> ConnectLink:
    """Takes what the consent of a link's person has brought, and uses the link up: of consents that come at once, one.

    The account is bound to the link's member and to nobody else. One that was not connected before waits for somebody
    who manages accounts to set it up; nothing is synced until then. Raises LinkRefused.
    """
    try:
        needed = PROVIDERS[integration].permissions
        if tokens.scopes is not None and (missing := missing_permissions(needed, tokens.scopes)):
            raise LinkRefused(LinkRefusal.LACKS_PERMISSION, account.name, missing=missing)
        return _accept(link_id, integration, account, tokens)
    except IntegrityError:  # at the desk their calendar was bound to another account in this moment
        refused = LinkRefused(LinkRefusal.OTHER_ACCOUNT, account.name)
    except OtherAccount as error:
        refused = LinkRefused(LinkRefusal.OTHER_ACCOUNT, account.name, error.connection.account_name)
    except LinkRefused as error:
        refused = error
    log.info("connect_link_refused", link_id=link_id, reason=refused.reason.value)
    withdraw(integration, account.id, tokens.refresh_token or tokens.access_token)
    raise refused


@transaction.atomic
def _accept(link_id: str, integration: str, account: Account, tokens: Tokens) -> ConnectLink:
    ConnectLink.objects.select_for_update().filter(pk=link_id).first()
    link = connect_links().filter(pk=link_id, integration=integration).first()
    if link is None or link.state != ConnectLinkState.OPEN:
        raise LinkRefused(LinkRefusal.OVER, account.name)
    rows = Connection.objects.select_for_update(of=("self",)).filter(workspace=link.workspace_id)
    concerned = Q(account_digest=digest_of(account.id)) | Q(member=link.member_id, member__isnull=False)
    known = [row for row in rows.filter(concerned, integration=integration).order_by("pk") if row.is_of(account.id)]
    renewed = renewed_by(link)
    if renewed is not None and not renewed.is_of(account.id):
        raise LinkRefused(LinkRefusal.OTHER_ACCOUNT, account.name, renewed.account_name)
    if known and link.member_id is not None:
        _check_owner(known[0], link, account)
    who = f"{link.member} ({link.pk})" if link.member else link.pk
    with attributed(actor=who):
        connection = take_grant(
            workspace=link.workspace,
            integration=integration,
            account=account,
            tokens=tokens,
            user=None,
            reconnect=renewed,
        )
    if link.member_id is not None and connection.member_id is None:
        Connection.objects.filter(pk=connection.pk).update(member=link.member_id)
    granted = sorted(PROVIDERS[integration].scopes if tokens.scopes is None else tokens.scopes)
    ConnectLink.objects.filter(pk=link.pk).update(used_at=timezone.now(), connection=connection, granted=granted)
    link = connect_links().get(pk=link.pk)
    audit_link("used", link, who, account=account.name, connection=connection.pk, scopes=granted)
    record_event(
        link.workspace_id, "connect_link.used", connect_link_row(link), record_id=link.pk, integration=integration
    )
    log.info("connect_link_used", link_id=link.pk, connection_id=connection.pk)
    return link


def _check_owner(known: Connection, link: ConnectLink, account: Account) -> None:
    """Refuses an account that is, or was, bound to another person: what was read of it is theirs. One that nobody has
    been bound to yet becomes the link's person's, and its calendars are chosen anew."""
    if known.member_id not in (None, link.member_id):
        raise LinkRefused(LinkRefusal.OF_SOMEBODY, account.name)
    if known.member_id is None:
        if known.state != ConnectionState.DISCONNECTED and known.streams.filter(is_active=True).exists():
            raise LinkRefused(LinkRefusal.OF_SOMEBODY, account.name)
        forget_calendars(known)
        Connection.objects.filter(pk=known.pk).update(member=link.member_id)


def return_address(link: ConnectLink, status: str) -> str:
    """Returns where the link leads back to, with what came of it ("connected", "refused") and nothing secret; "" where
    it has no such address, or it is not registered any more."""
    if (
        not link.return_url
        or not ReturnAddress.objects.filter(workspace=link.workspace_id, url=link.return_url).exists()
    ):
        return ""
    mark = "&" if "?" in link.return_url else "?"
    return f"{link.return_url}{mark}link={link.pk}&status={status}"
