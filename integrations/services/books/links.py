"""Parting what was linked by mistake: a record of FieldCamp and what the books have for it."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from integrations.books import SIDES
from integrations.books.asking import ASK
from integrations.calendar.window import window_at
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Link, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.audit_trail import audit_connection
from integrations.services.books.decisions import NotPossible
from integrations.services.decisions import AlreadyDecided, sync_links_now

PARTED = (CUSTOMER.name, ITEM.name, INVOICE.name, PAYMENT.name)  # taxes are mapped on a page of their own


def can_part(link: Link) -> bool:
    """Returns whether the two can be parted: both are there, and nothing is being written."""
    present = link.record_id and link.seen is not None and not link.seen_gone and link.cut_at is None
    return bool(link.kind in PARTED and present and link.intent is None)


def part(*, link: Link, user: AbstractBaseUser) -> SyncJob | None:
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
        connection = stream.connection
        side = SIDES[stream.kind](stream, window_at(timezone.now()))
        local = side.read(link.kind, [record_id]).get(record_id)
        if local is None or local.theirs:
            raise NotPossible(gettext("It came from there. Void it here instead, if it is not right."))
        decision = {**ASK, "candidates": [link.remote_id]}
        seed = f"{stream.pk}|{record_id}|parted|{link.pk}|{link.generation}"
        Link.objects.filter(pk=link.pk).update(
            record_id="", base=None, unsettled=True, parked=False, decision=ASK, updated_at=timezone.now()
        )
        own = Link.objects.create(
            stream=stream,
            kind=link.kind,
            record_id=record_id,
            remote_id=PROVIDERS[connection.integration].make_id(seed),
            generation=link.generation + 1,  # what is made for it is no repetition of what was made before
            decision=decision,
            unsettled=True,
        )
        now = timezone.now()
        resolve_problems(connection, now=now, kind=link.kind, record_ids=[record_id])
        open_problem(
            connection,
            ProblemCode.RECORD_REJECTED,
            gettext("It was parted from its counterpart. Say whether it is the same after all, or make a new one."),
            now=now,
            kind=link.kind,
            record_id=record_id,
            link=own,
            data={"reason": ProblemReason.MATCH, "candidates": [link.remote_id]},
        )
        audit_connection("parted", connection, user, before={"record": record_id, "remote_id": link.remote_id})
    return sync_links_now(connection, [own.pk], user)
