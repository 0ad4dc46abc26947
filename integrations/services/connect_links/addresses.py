"""The addresses that connect links may lead back to: registered by an admin, and compared letter by letter.

As OAuth 2.0 has it for redirect URIs (RFC 9700, section 2.1): a prefix, or a pattern, is what open redirectors live of.
"""

import re
from urllib.parse import parse_qsl, urlsplit

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Workspace
from integrations.models import ReturnAddress
from integrations.models.connect_links import LONGEST_RETURN_URL

log = structlog.get_logger(__name__)

MOST = 50  # addresses of one company
# What browsers read otherwise than servers do is none of these.
_PRINTABLE = re.compile(r"[!-~]+")
_NEVER = re.compile(r"[\\\"<>^`{|}]")
_OURS = {"link", "status"}  # what the address is given when somebody is led there


def register_address(*, workspace: Workspace, url: str, actor: str) -> ReturnAddress:
    """Lets links lead back to this address. Raises InvalidFields of `url`."""
    if refusal := flaw_of_address(url):
        raise InvalidFields.of("url", refusal)
    if ReturnAddress.objects.filter(workspace=workspace).count() >= MOST:
        raise InvalidFields.of("url", gettext("There are {most} already. Remove one.").format(most=MOST))
    try:
        with transaction.atomic():
            address = ReturnAddress.objects.create(workspace=workspace, url=url, created_by=actor[:200])
            _note("added", address, actor)
    except IntegrityError:
        raise InvalidFields.of("url", gettext("This address is registered already.")) from None
    log.info("return_address_added", workspace_id=workspace.pk, address_id=address.pk)
    return address


def remove_address(*, address: ReturnAddress, actor: str) -> None:
    """Takes the address away: links that were made for it end on our own page from now on."""
    with transaction.atomic():
        found = ReturnAddress.objects.select_for_update().filter(pk=address.pk).first()
        if found is not None:
            _note("removed", found, actor)
            found.delete()


def flaw_of_address(url: str) -> str:
    """Returns why nobody is led back to this address; "" where there is no reason."""
    if len(url) > LONGEST_RETURN_URL:
        return gettext("The address is too long: {most} characters at most.").format(most=LONGEST_RETURN_URL)
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not _PRINTABLE.fullmatch(url) or _NEVER.search(url) or not host:
        return gettext("Enter a whole address, such as https://app.example.com/connected, in plain letters.")
    if not url.startswith("https://"):
        return gettext("The address must begin with https://.")
    if "@" in parts.netloc:
        return gettext("The address must hold no user name or password.")
    if "#" in url:
        return gettext("The address must end before “#”.")
    if _OURS & {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}:
        return gettext("“link” and “status” are added by FieldCamp: leave them out.")
    return ""


def _note(action: str, address: ReturnAddress, actor: str) -> None:
    audit(
        f"return_address.{action}",
        workspace_id=address.workspace_id,
        object_id=address.pk,
        object_name=address.url,
        actor=actor,
    )
