"""Making and revoking links with which a person without a login connects an account."""

import datetime as dt
import secrets
from dataclasses import dataclass

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.api.models import ApiKey
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Member, Workspace
from integrations.models import ConnectLink, ConnectLinkState, ReturnAddress
from integrations.providers import PROVIDERS
from integrations.selectors.connect_links import connect_links, digest_of_token

log = structlog.get_logger(__name__)

SHORTEST, LONGEST, USUAL = dt.timedelta(minutes=5), dt.timedelta(days=7), dt.timedelta(days=1)


@dataclass(frozen=True)
class LinkMaker:
    """Who makes or revokes a link, by their `name` in the audit trail: a person at the desk, or a program with a key.
    A link is worth no more than its maker (`ConnectLinkQuerySet.with_state`)."""

    name: str
    user: User | None = None
    key: ApiKey | None = None

    @property
    def ends_at(self) -> dt.datetime | None:
        """Returns when what they sign with ends: their links end with it."""
        if self.key is None:
            return None
        return self.key.previous_until if self.key.used_previous_secret else self.key.expires_at


def create_link(
    *,
    workspace: Workspace,
    integration: str,
    maker: LinkMaker,
    member_id: str | None = None,
    lifetime: dt.timedelta = USUAL,
    return_url: str = "",
) -> tuple[ConnectLink, str]:
    """Returns the new link and its token, which is kept nowhere. Raises InvalidFields."""
    if not SHORTEST <= lifetime <= LONGEST:
        raise InvalidFields.of("expires_in", gettext("A link is good for five minutes at least, seven days at most."))
    member = _member_of(workspace, integration, member_id)
    if return_url and not ReturnAddress.objects.filter(workspace=workspace, url=return_url).exists():
        raise InvalidFields.of("return_url", gettext("An admin has to register this address at the desk first."))
    token, now = secrets.token_urlsafe(32), timezone.now()
    with transaction.atomic():
        link = ConnectLink.objects.create(
            workspace=workspace,
            integration=integration,
            member=member,
            digest=digest_of_token(token),
            return_url=return_url,
            created_by=maker.name[:200],
            user=maker.user,
            key=maker.key,
            created_at=now,
            expires_at=min(now + lifetime, maker.ends_at or dt.datetime.max.replace(tzinfo=dt.UTC)),
        )
        audit_link("created", link, maker.name, expires_at=link.expires_at, return_url=return_url or None)
    log.info("connect_link_created", link_id=link.pk, integration=integration, member_id=member_id)
    return connect_links().get(pk=link.pk), token


def _member_of(workspace: Workspace, integration: str, member_id: str | None) -> Member | None:
    if not PROVIDERS[integration].is_calendar:
        if member_id is not None:
            raise InvalidFields.of("member_id", gettext("Books belong to the company: name no person."))
        return None
    if member_id is None:
        raise InvalidFields.of("member_id", gettext("Say whose calendar it is."))
    member = Member.objects.filter(workspace=workspace, pk=member_id, is_active=True).first()
    if member is None:
        raise InvalidFields.of("member_id", gettext("There is no such active person in this company."))
    return member


def revoke_link(*, link: ConnectLink, maker: LinkMaker) -> ConnectLink:
    """Ends the link: who is at the vendor's consent with it now comes back in vain. Doing it twice is harmless. Raises
    InvalidTransition where it has been used."""
    with transaction.atomic():
        ConnectLink.objects.select_for_update().get(pk=link.pk)
        link = connect_links().get(pk=link.pk)
        if link.state == ConnectLinkState.USED:
            raise InvalidTransition(gettext("This link has been used. Disconnect the account instead."))
        if link.revoked_at is None:
            ConnectLink.objects.filter(pk=link.pk).update(revoked_at=timezone.now())
            audit_link("revoked", link, maker.name)
            log.info("connect_link_revoked", link_id=link.pk)
        return connect_links().get(pk=link.pk)


def audit_link(action: str, link: ConnectLink, actor: str, **facts: object) -> None:
    """Writes down what happened to a link; never its token."""
    audit(
        f"connect_link.{action}",
        workspace_id=link.workspace_id,
        object_id=link.pk,
        object_name=f"{link.integration}: {link.member or link.workspace.name}",
        after={name: value for name, value in facts.items() if value is not None},
        actor=actor,
    )
