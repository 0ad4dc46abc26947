"""The address of a company's chat: set, tried, removed. Each of it is in the audit trail, without the address."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.encryption import DecryptionError
from fieldcamp.texts import masked, said
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Workspace
from fieldcamp.workspace.notices import ACCESS, KINDS, OUTAGE, PAUSED, PUSH, STALLED, WEEKLY, MailKind
from integrations.mail import chat
from integrations.models import ChatAddress
from integrations.transport.webhook_client import WebhookAnswer

# What is said in a chat: mails about one's own login, keys and webhooks are for mailboxes.
SPOKEN: tuple[MailKind, ...] = tuple(kind for kind in KINDS if kind in (ACCESS, STALLED, PUSH, OUTAGE, PAUSED, WEEKLY))


def chat_of(workspace: Workspace) -> ChatAddress | None:
    """Returns the company's address, without what is secret of it."""
    return ChatAddress.objects.defer("url").filter(workspace=workspace).first()


def set_address(*, workspace: Workspace, url: CheckedUrl, by: str) -> ChatAddress:
    """Has the company's notices said at this address from now on, in the place of the one before; what waits for that
    one is not said at the new one."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)  # one at a time
        old = ChatAddress.objects.filter(workspace=workspace).defer("url").first()
        off = old.off if old else []
        if old:
            old.delete()
        row = ChatAddress.objects.create(
            workspace=workspace,
            url=url.text,
            host=(urlsplit(url.text).hostname or "")[:255],
            hint=masked(urlsplit(url.text).path),
            off=off,
            created_by=by[:200],
        )
        _note("set", workspace, row, before={"host": old.host if old else ""}, after={"host": row.host})
    return row


def choose_kinds(*, workspace: Workspace, kinds: Collection[str]) -> None:
    """Says which kinds of notices are said there. Raises InvalidFields."""
    known = {kind.name for kind in SPOKEN}
    if not set(kinds) <= known:
        raise InvalidFields.of("kinds", gettext("There is no such notice to choose."))
    with transaction.atomic():
        row = ChatAddress.objects.select_for_update().filter(workspace=workspace).defer("url").first()
        if row is None:
            raise InvalidFields.of("kinds", gettext("There is no address to say it at. Enter one first."))
        off = sorted(known - set(kinds))
        if off != row.off:
            _note("kinds_chosen", workspace, row, before={"off": row.off}, after={"off": off})
            ChatAddress.objects.filter(pk=row.pk).update(off=off)


def remove_address(*, workspace: Workspace) -> bool:
    """Says nothing there any more; False where there was no address."""
    with transaction.atomic():
        row = ChatAddress.objects.select_for_update().filter(workspace=workspace).defer("url").first()
        if row is None:
            return False
        _note("removed", workspace, row)
        row.delete()
    return True


def try_address(*, workspace: Workspace) -> WebhookAnswer | None:
    """Says a test there now and returns what was answered; None where there is no address. It waits for the server, ten
    seconds at most: no transaction may be open."""
    try:
        row = ChatAddress.objects.filter(workspace=workspace).first()
    except DecryptionError:
        return WebhookAnswer(0, error="INTERNAL")
    if row is None:
        return None
    sentence = gettext("A test from FieldCamp: the notices of {company} will be said here.")
    answer = chat.post_to(row, chat.escaped(sentence.format(company=said(workspace.name))))
    chat.keep_answer(row.pk, answer, timezone.now())
    _note("tested", workspace, row, after={"status": answer.status, "error": answer.error})
    return answer


def _note(action: str, workspace: Workspace, row: ChatAddress, **values: Any) -> None:
    audit(
        f"chat.{action}",
        workspace_id=workspace.pk,
        object_id=f"chat_{row.pk}",
        object_name=row.host,
        **values,
    )
