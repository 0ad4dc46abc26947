"""Linking a record with another one of the books than it is linked with, and taking that back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.models import AuditEntry
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.ledger.problems import resolve_problems
from integrations.models import Link, SyncJob
from integrations.services.books.decisions import NotPossible
from integrations.services.books.links import came_from_there, can_part
from integrations.services.decisions import AlreadyDecided, sync_links_now
from integrations.sync.policy import Winner

UNDONE_FOR = dt.timedelta(days=7)
MOST = 20  # that are offered at once
_LOOKED_IN: dict[str, tuple[str, ...]] = {
    CUSTOMER.name: ("display_name", "company", "email"),
    ITEM.name: ("name", "sku"),
    INVOICE.name: ("number",),
    PAYMENT.name: ("reference", "amount"),
}
_RELINKED = "connection.relinked"
_LAST = 50  # entries among which the last one of a record is looked for


@dataclass(frozen=True)
class Relinking:
    """What can be taken back: the link that the record has now, the one it had, and when that was changed."""

    link: Link
    former: Link
    at: dt.datetime


def others_for(link: Link, search: str) -> list[Link]:
    """Returns the books' records of this kind that no record of FieldCamp belongs to, of those that are called so; one
    query."""
    rows = Link.objects.present().unmatched().filter(stream=link.stream, kind=link.kind, intent__isnull=True)
    wanted = Q()
    for name in _LOOKED_IN.get(link.kind, ()):
        wanted |= Q(**{f"seen__{name}__icontains": search})
    return list(rows.filter(wanted if search else Q()).order_by("pk")[:MOST])


def relink(*, link: Link, other: int, user: Actor) -> SyncJob | None:
    """Links the record with another one of the books; neither is changed by that. What they differ in is settled as the
    account's rule says. Done a second time it changes nothing. Tried at once. Raises AlreadyDecided, NotPossible."""
    try:
        with transaction.atomic():
            target = _settle(link.pk, other, user)
    except IntegrityError:  # somebody else has linked the record at the same moment
        raise AlreadyDecided from None
    return sync_links_now(target.stream.connection, [target.pk], user)


def _settle(link_id: int, other: int, user: Actor) -> Link:
    rows = Link.objects.select_for_update(of=("self",)).select_related("stream__connection__workspace")
    locked = {row.pk: row for row in rows.filter(pk__in=[link_id, other]).order_by("pk")}
    link, target = locked.get(link_id), locked.get(other)
    if link is None or target is None or link_id == other:
        raise NotPossible(gettext("It is not there any more. Choose another."))
    if link.intent is not None or target.intent is not None:
        raise NotPossible(gettext("A sync is writing it just now. Try again when that is over."))
    if not can_part(link):
        raise AlreadyDecided
    if target.stream_id != link.stream_id or target.kind != link.kind:
        raise NotPossible(gettext("It is not there any more. Choose another."))
    if target.record_id:
        raise NotPossible(gettext("It belongs to another record of FieldCamp already. Choose another."))
    if target.seen is None or target.seen_gone or target.cut_at:
        raise NotPossible(gettext("It is not there any more. Choose another."))
    if came_from_there(link):
        raise NotPossible(gettext("It came from there. Void it here instead, if it is not right."))
    record_id, now = link.record_id, timezone.now()
    # The former one first: a record has one live link in a stream.
    Link.objects.filter(pk=link.pk).update(
        record_id="", base=None, unsettled=True, parked=False, decision=None, updated_at=now
    )
    target.record_id, target.base, target.unsettled, target.parked = record_id, None, True, False
    target.decision = {"winner": Winner.REMOTE} if target.kind == PAYMENT.name else None
    target.save(update_fields=["record_id", "base", "unsettled", "parked", "decision", "updated_at"])
    resolve_problems(link.stream.connection, now=now, kind=link.kind, record_ids=[record_id])
    audit_connection(
        "relinked",
        link.stream.connection,
        user,
        before={"link": link.pk},
        after={"record": record_id, "link": target.pk},
    )
    return target


def last_relinking(links: Sequence[Link]) -> Relinking | None:
    """Returns what was done to this record last, if it can still be taken back; two queries."""
    live = {link.pk: link for link in links if can_part(link)}
    if not live:
        return None
    since = timezone.now() - UNDONE_FOR
    accounts = {link.stream.connection_id for link in live.values()}
    entries = AuditEntry.objects.filter(object_id__in=accounts, action=_RELINKED, at__gte=since).order_by("-id")
    for entry in entries[:_LAST]:
        link = live.get(entry.after.get("link", 0))
        if link is None:
            continue
        former = Link.objects.present().unmatched().filter(pk=entry.before.get("link", 0), stream=link.stream).first()
        return Relinking(link, former, entry.at) if former is not None else None
    return None
