"""Mailing a connect link to whom it is for. The mail names the company and the vendor, and nobody's data."""

import zoneinfo

import structlog
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.texts import said
from fieldcamp.workspace.mailed import send
from integrations.models import ConnectLink
from integrations.providers import PROVIDERS
from integrations.selectors.connect_links import connect_link_url
from integrations.services.connect_links.making import LinkMaker, audit_link

log = structlog.get_logger(__name__)


def mail_link(*, link: ConnectLink, token: str, to: str, maker: LinkMaker) -> bool:
    """Sends the link to this address, after the transaction that made it; whether that worked. Where it went is in the
    audit trail, and not kept with the link."""
    label = PROVIDERS[link.integration].label
    company = said(link.workspace.name)
    with timezone.override(zoneinfo.ZoneInfo(link.workspace.timezone)):
        sent = send(
            to,
            subject=gettext("{company}: connect {provider}").format(company=company, provider=label),
            template="desk/connect_link.txt",
            context={
                "name": link.member.first_name if link.member else "",
                "company": link.workspace.name,
                "provider": label,
                "link": connect_link_url(token),
                "until": link.expires_at,
            },
        )
    if sent:
        audit_link("mailed", link, maker.name, to=to)
    log.info("connect_link_mailed", link_id=link.pk, sent=sent)
    return sent
