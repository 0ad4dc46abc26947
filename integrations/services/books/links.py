"""Parting what was linked by mistake: a record of FieldCamp and what the books have for it."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.books import SIDES
from integrations.books.asking import ASK, candidates_in
from integrations.calendar.window import window_at
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.ledger.problems import open_problems, resolve_problems
from integrations.models import Link, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.books.decisions import NotPossible
from integrations.services.decisions import AlreadyDecided, sync_links_now

PARTED = (CUSTOMER.name, ITEM.name, INVOICE.name, PAYMENT.name)  # taxes are mapped on a page of their own


def can_part(link: Link) -> bool:
    """Returns whether the two can be parted: both are there, and nothing is being written."""
    return bool(link.kind in PARTED and link.record_id and link.is_present and link.intent is None)


def came_from_there(link: Link) -> bool:
    """Returns whether FieldCamp's record was made of the books' one, or is not there any more: then nothing can be said
    of the two but that they are the same."""
    side = SIDES[link.stream.kind](link.stream, window_at(timezone.now()))
    local = side.read(link.kind, [link.record_id]).get(link.record_id)
    return local is None or local.theirs


def part(*, link: Link, user: Actor) -> SyncJob | None:
    """Parts a record from what it is linked with there. Neither is changed: from then on it is asked whether they are
    the same, or the record is another one, which is made there. Raises AlreadyDecided, NotPossible."""
    with transaction.atomic():
        links = Link.objects.select_for_update(of=("self",)).select_related("stream__connection__workspace")
        link = links.get(pk=link.pk)
        if link.intent is not None:
            raise NotPossible(gettext("A sync is writing it just now. Try again when that is over."))
        if not can_part(link):
            raise AlreadyDecided
        stream, record_id = link.stream, link.record_id
        if came_from_there(link):
            raise NotPossible(gettext("It came from there. Void it here instead, if it is not right."))
        [own] = part_all(stream, [link])
        before = {"record": record_id, "remote_id": link.remote_id}
        audit_connection("parted", stream.connection, user, before=before)
    return sync_links_now(stream.connection, [own.pk], user)


def part_all(stream: Stream, links: Sequence[Link]) -> list[Link]:
    """Parts these links' records from what they are linked with there, and asks about each. Returns the links that they
    have instead. The caller holds the links' locks, has seen that they can be parted, and writes it down."""
    connection, now, own = stream.connection, timezone.now(), []
    for link in links:
        seed = f"{stream.pk}|{link.record_id}|parted|{link.pk}|{link.generation}"
        own.append(
            Link(
                stream=stream,
                kind=link.kind,
                record_id=link.record_id,
                remote_id=PROVIDERS[connection.integration].make_id(seed),
                generation=link.generation + 1,  # what is made for it is no repetition of what was made before
                decision={**ASK, "candidates": [link.remote_id]},
                unsettled=True,
            )
        )
    Link.objects.filter(pk__in=[link.pk for link in links]).update(
        record_id="", base=None, unsettled=True, parked=False, decision=ASK, updated_at=now
    )
    own = Link.objects.bulk_create(own, batch_size=500)
    ids = [link.record_id for link in own]
    resolve_problems(connection, now=now, kind=stream.kind, record_ids=ids)
    about = {
        link.record_id: (link, {"reason": ProblemReason.MATCH, "candidates": candidates_in(link.decision)})
        for link in own
    }
    sentence = gettext("It was parted from its counterpart. Say whether it is the same after all, or make a new one.")
    open_problems(connection, ProblemCode.RECORD_REJECTED, sentence, now=now, kind=stream.kind, about=about)
    return own
