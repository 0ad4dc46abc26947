"""What a person decides about single records of the books: who is who, and what becomes of what was removed there."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.invoicing import void_invoice
from fieldcamp.workspace.paying import void_payment
from fieldcamp.workspace.tracking import attributed
from integrations.errors import ProblemCode
from integrations.kinds import CUSTOMER, INVOICE, ITEM, KINDS, PAYMENT
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import resolve_problems
from integrations.models import Link, Problem, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.audit_trail import audit_connection
from integrations.services.decisions import AlreadyDecided, sync_links_now
from integrations.sync.policy import RemovalChoice

NEW = "new"
REMOVED = ProblemCode.RECORD_REMOVED
_NAMED_BY = {CUSTOMER.name: "display_name", ITEM.name: "name"}
_VOIDS: dict[str, Any] = {INVOICE.name: void_invoice, PAYMENT.name: void_payment}


class NotPossible(Exception):
    """What was chosen cannot be done; the text says why."""


def decide_match(*, problem: Problem, choice: str, user: AbstractBaseUser, name: str = "") -> SyncJob | None:
    """Says whether the record is one that the books have: `choice` is that one's id there, or "new".

    A new one may be made under another `name`, where its own is taken. Tried at once.
    """
    with transaction.atomic():
        stream = _stream_of(problem)
        mine = Link.objects.live().filter(stream=stream, kind=problem.record_kind, record_id=problem.record_id)
        own = mine.select_for_update().first()
        if own is not None and (own.seen is not None or own.intent is not None):
            raise AlreadyDecided  # it has a counterpart, or is getting one right now
        link = _make_new(stream, problem, own, name) if choice == NEW else _same(stream, problem, own, choice)
        audit_connection(
            "match_decided", stream.connection, user, after={"record": problem.record_id, "choice": name or choice}
        )
    return sync_links_now(stream.connection, [link.pk], user)


def _stream_of(problem: Problem) -> Stream:
    if problem.resolved_at is not None or problem.connection is None:
        raise AlreadyDecided
    streams = Stream.objects.select_related("connection__workspace")
    stream = streams.filter(connection=problem.connection, kind=problem.record_kind, is_active=True).first()
    if stream is None:
        raise NotPossible(gettext("These records are not synced any more."))
    return stream


def _same(stream: Stream, problem: Problem, own: Link | None, remote_id: str) -> Link:
    link = Link.objects.select_for_update().filter(stream=stream, remote_id=remote_id).first()
    if link is None or link.seen is None or link.seen_gone or link.cut_at:
        raise NotPossible(gettext("It is not there any more. Choose another, or make a new one."))
    if link.record_id:
        taken = gettext("It belongs to another record of FieldCamp already. Choose another, or make a new one.")
        raise NotPossible(taken)
    if own is not None:
        own.delete()
    link.record_id, link.base, link.unsettled, link.parked, link.decision = problem.record_id, None, True, False, None
    link.save(update_fields=["record_id", "base", "unsettled", "parked", "decision", "updated_at"])
    return link


def _make_new(stream: Stream, problem: Problem, own: Link | None, name: str) -> Link:
    kind = KINDS[problem.record_kind]
    decision: dict[str, Any] = {"match": NEW}
    if name and kind.name in _NAMED_BY:
        decision["create"] = {_NAMED_BY[kind.name]: name}
    seed = f"{stream.pk}|{problem.record_id}|0"
    link = own or Link(stream=stream, kind=kind.name, record_id=problem.record_id)
    link.remote_id = link.remote_id or PROVIDERS[stream.connection.integration].make_id(seed)
    link.decision, link.unsettled, link.parked = decision, True, False
    link.save()
    return link


def post_again(*, problem: Problem, user: AbstractBaseUser) -> SyncJob | None:
    """Makes again what was removed there. Tried at once."""
    with transaction.atomic():
        link = _removed(problem)
        link.decision = {"removal": RemovalChoice.PUT_BACK}
        link.save(update_fields=["decision", "updated_at"])
        # Where a job is running now, the next one finds it by this.
        write_rows([(link.stream_id, link.record_id, 0)], link.kind)
        audit_connection("posted_again", link.stream.connection, user, after={"record": link.record_id})
    return sync_links_now(link.stream.connection, [link.pk], user)


def void_here(*, problem: Problem, user: AbstractBaseUser) -> None:
    """Voids the invoice or payment that was removed there. Raises InvalidTransition where it cannot be voided."""
    with transaction.atomic():
        link = _removed(problem)
        if link.kind not in _VOIDS:
            raise NotPossible(gettext("Only invoices and payments can be voided."))
        void: Any = _VOIDS[link.kind]
        label = PROVIDERS[problem.integration].label
        reason = {"reason": f"Deleted in {label}"} if link.kind == INVOICE.name else {}
        with attributed(actor=user.get_username()):
            void(workspace=problem.workspace, **{f"{link.kind}_id": link.record_id}, **reason)
        connection = link.stream.connection
        resolve_problems(connection, now=timezone.now(), codes=[REMOVED], kind=link.kind, record_ids=[link.record_id])
        audit_connection("voided_here", connection, user, after={"record": link.record_id})


def _removed(problem: Problem) -> Link:
    links = Link.objects.select_for_update(of=("self",)).select_related("stream__connection__workspace")
    link = links.filter(pk=problem.link_id or 0).exclude(cut_at=None).first()
    if problem.code != REMOVED or problem.resolved_at is not None or link is None or link.successor:
        raise AlreadyDecided
    if Link.objects.live().filter(stream=link.stream, kind=link.kind, record_id=link.record_id).exists():
        raise AlreadyDecided  # it has another counterpart by now
    return link
