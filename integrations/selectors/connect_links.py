"""Connect links as they stand, and as the API and its events show them."""

import hashlib
from typing import Any

from django.utils import timezone

from fieldcamp.links import absolute
from fieldcamp.workspace.models import Workspace
from integrations.models import ConnectLink
from integrations.models.connect_links import ConnectLinkQuerySet
from integrations.records import instant


def digest_of_token(token: str) -> str:
    """Returns what is stored of a link's token: its SHA-256 in hexadecimal. It is 256 random bits, which nobody
    guesses."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def connect_links() -> ConnectLinkQuerySet:
    """Returns all links with their `state` at this moment, and what is shown of them."""
    rows: ConnectLinkQuerySet = ConnectLink.objects.with_state(timezone.now())
    return rows.select_related("workspace", "member", "connection")


def connect_links_of(workspace: Workspace) -> ConnectLinkQuerySet:
    """Returns the company's links, as above."""
    return connect_links().filter(workspace=workspace)


def find_connect_link(token: str) -> ConnectLink | None:
    """Returns the link with this token, whatever has become of it."""
    return connect_links().filter(digest=digest_of_token(token)).first()


def connect_link_url(token: str) -> str:
    """Returns the address that a person follows."""
    return absolute("connect_link", token)


def connect_link_row(link: ConnectLink) -> dict[str, Any]:
    """Returns a link of `connect_links` as the API shows it; its address is told once, by whoever makes it."""
    return {
        "id": link.pk,
        "integration": link.integration,
        "member_id": link.member_id,
        "state": link.state,
        "created_at": instant(link.created_at),
        "created_by": link.created_by,
        "expires_at": instant(link.expires_at),
        "used_at": instant(link.used_at) if link.used_at else None,
        "connection_id": link.connection_id,
        "granted_scopes": link.granted,
        "return_url": link.return_url or None,
    }
