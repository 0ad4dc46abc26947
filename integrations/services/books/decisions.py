"""What a person decides about single records of the books: who is who, and what becomes of what was removed there."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.invoicing import void_invoice
from fieldcamp.workspace.models import Payment, PaymentAllocation
from fieldcamp.workspace.numbering import renumber_invoice
from fieldcamp.workspace.paying import void_payment
from fieldcamp.workspace.tracking import attributed
from integrations.accounts.acting import Actor
from integrations.accounts.audit_trail import audit_connection
from integrations.books.asking import candidates_in
from integrations.books.duplicates import note_same_money
from integrations.errors import ProblemCode
from integrations.kinds import CUSTOMER, INVOICE, ITEM, KINDS, PAYMENT
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import resolve_problems
from integrations.models import DirtyRow, Link, Problem, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.services.books.net_prices import NoSuchTax, is_gross, settle_net_price
from integrations.services.decisions import AlreadyDecided, ToSync, carry_out
from integrations.sync.policy import RemovalChoice, Winner

NEW = "new"
REMOVED, DUPLICATE = ProblemCode.RECORD_REMOVED, ProblemCode.POSSIBLE_DUPLICATE
_VOIDS: dict[str, Any] = {INVOICE.name: void_invoice, PAYMENT.name: void_payment}


class NotPossible(Exception):
    """What was chosen cannot be done; the text says why."""


def decide_match(*, problem: Problem, choice: str, user: Actor, name: str = "") -> SyncJob | None:
    """Says whether the record is one that the books have: `choice` is that one's id there, or "new": it is another.

    A new one may be made under another `name`, where its own is taken; an invoice gets the next free number. A payment
    of the books that was asked about is another one then, and taken in. Tried at once. Raises AlreadyDecided,
    NotPossible, InvalidTransition.
    """
    return carry_out([settle_match(problem=problem, choice=choice, user=user, name=name)], user)


def settle_match(*, problem: Problem, choice: str, user: Actor, name: str = "") -> ToSync:
    """Writes down what `decide_match` says. Raises what that does."""
    try:
        with transaction.atomic():
            stream = _stream_of(problem)
            if problem.code == DUPLICATE:
                links = _of_repeated(stream, problem, choice)
            elif is_gross(problem):
                links = [settle_net_price(stream=stream, problem=problem, tax_id=choice)]
            else:
                links = _decided(stream, problem, choice, name, user)
            after = {"record": problem.record_id, "choice": name or choice}
            audit_connection("match_decided", stream.connection, user, after=after)
    except NoSuchTax as refusal:
        raise NotPossible(str(refusal)) from None
    except IntegrityError:  # of one record, or of one there: somebody else has answered at the same moment
        raise AlreadyDecided from None
    return ToSync(stream.connection, links)


def _decided(stream: Stream, problem: Problem, choice: str, name: str, user: Actor) -> list[int]:
    mine = Link.objects.live().filter(stream=stream, kind=problem.record_kind, record_id=problem.record_id)
    own = mine.select_for_update().first()
    if own is not None and (own.seen is not None or own.intent is not None):
        raise AlreadyDecided  # it has a counterpart, or is getting one right now
    if choice == NEW:
        if own is not None and _waits(own):
            raise AlreadyDecided  # an invoice would get one more number
        return _another(stream, problem, own, name, user)
    return _same(stream, problem, own, choice, user)


def _waits(link: Link) -> bool:
    """Returns whether an answer is written down that no run has carried out yet."""
    return (link.decision or {}).get("match") == NEW and link.unsettled and not link.parked


def _stream_of(problem: Problem) -> Stream:
    if problem.resolved_at is not None or problem.connection is None:
        raise AlreadyDecided
    streams = Stream.objects.select_related("connection__workspace")
    stream = streams.filter(connection=problem.connection, kind=problem.record_kind, is_active=True).first()
    if stream is None:
        raise NotPossible(gettext("These records are not synced any more."))
    return stream


def _of_repeated(stream: Stream, problem: Problem, choice: str) -> list[int]:
    """Decides about a payment of the books that may be one that both sides have already: it is another one and taken
    in, or the same. FieldCamp deletes nothing there, so the problem stands until somebody has."""
    if choice != problem.record_id:
        return [_take_in(stream, problem, choice)]
    note_same_money(problem, PROVIDERS[problem.integration].label)
    return []


def _take_in(stream: Stream, problem: Problem, choice: str) -> int:
    """Takes a payment of the books in that was thought to be one that both sides have already."""
    link = Link.objects.present().unmatched().select_for_update().filter(stream=stream, remote_id=problem.record_id)
    found = link.first()
    if choice != NEW or found is None:
        raise NotPossible(gettext("It is not there any more, or is another record's."))
    found.decision, found.unsettled = {"match": NEW}, True
    found.save(update_fields=["decision", "unsettled", "updated_at"])
    ids = [problem.record_id]
    resolve_problems(stream.connection, now=timezone.now(), codes=[DUPLICATE], kind=PAYMENT.name, record_ids=ids)
    return found.pk


def _same(stream: Stream, problem: Problem, own: Link | None, remote_id: str, user: Actor) -> list[int]:
    link = Link.objects.select_for_update().filter(stream=stream, remote_id=remote_id).first()
    if link is not None and link.record_id and link.kind == PAYMENT.name and _is_taken_in(problem, link):
        _void_the_repeated(problem, own, user)
        return []
    if link is None or not link.is_present:
        raise NotPossible(gettext("It is not there any more. Choose another, or make a new one."))
    if link.record_id:
        taken = gettext("It belongs to another record of FieldCamp already. Choose another, or make a new one.")
        raise NotPossible(taken)
    if own is not None:
        own.delete()
    link.record_id, link.base, link.unsettled, link.parked = problem.record_id, None, True, False
    # The same money: what was entered otherwise there is what the bank has been compared with, and no new question.
    link.decision = {"winner": Winner.REMOTE} if link.kind == PAYMENT.name else None
    link.save(update_fields=["record_id", "base", "unsettled", "parked", "decision", "updated_at"])
    now, ids = timezone.now(), [link.record_id]
    resolve_problems(stream.connection, now=now, codes=[REMOVED], kind=link.kind, record_ids=ids)
    return [link.pk]


def voids(problem: Problem, choice: str) -> bool:
    """Returns whether this choice voids the payment that was asked about, since FieldCamp has the same money by
    another."""
    rows = Link.objects.live().linked().filter(stream__connection=problem.connection_id, kind=PAYMENT.name)
    link = rows.filter(remote_id=choice).first() if problem.record_kind == PAYMENT.name else None
    return link is not None and _is_taken_in(problem, link)


def _is_taken_in(problem: Problem, link: Link) -> bool:
    """Returns whether that is a payment that FieldCamp took in from the books, and this one was asked about as the same
    money, or is refused since that one pays its invoice already."""
    taken_in = Payment.objects.alive().filter(pk=link.record_id, made_in=problem.integration, voided_at=None)
    paid = PaymentAllocation.objects.filter(payment=problem.record_id).values("invoice")
    asked = link.remote_id in candidates_in(problem.data)
    return taken_in.exists() if asked else taken_in.filter(allocations__invoice__in=paid).exists()


def _void_the_repeated(problem: Problem, own: Link | None, user: Actor) -> None:
    """Voids a payment that was entered here although FieldCamp had taken it in from the books."""
    with attributed(actor=user.get_username()):
        void_payment(workspace=problem.workspace, payment_id=problem.record_id)
    if own is not None:
        own.delete()
    assert problem.connection is not None
    ids = [problem.record_id]
    resolve_problems(problem.connection, now=timezone.now(), kind=PAYMENT.name, record_ids=ids)


def _another(stream: Stream, problem: Problem, own: Link | None, name: str, user: Actor) -> list[int]:
    """Makes the record a new one there; what was asked about is looked at again. What was removed there once is posted
    again only if it is an invoice: of a payment it is said by nothing that the money has come twice."""
    if problem.record_kind == INVOICE.name:
        with attributed(actor=user.get_username()):
            renumber_invoice(workspace=problem.workspace, invoice_id=problem.record_id)
    asked = Link.objects.present().unmatched().filter(stream=stream, remote_id__in=candidates_in(problem.data))
    freed = [*asked.values_list("pk", flat=True)]
    Link.objects.filter(pk__in=freed).update(unsettled=True)
    cut = Link.objects.select_for_update().exclude(cut_at=None)
    cut = cut.filter(stream=stream, kind=problem.record_kind, record_id=problem.record_id)
    removed = cut.order_by("-cut_at").first() if own is None else None
    if removed is None:
        return [_make_new(stream, problem, own, name).pk, *freed]
    if problem.record_kind == INVOICE.name:
        _put_back(removed)
    return [removed.pk, *freed]


def _make_new(stream: Stream, problem: Problem, own: Link | None, name: str) -> Link:
    kind = KINDS[problem.record_kind]
    decision: dict[str, Any] = {"match": NEW}
    if name and kind in (CUSTOMER, ITEM):
        decision["create"] = {kind.named_by: name}
    seed = f"{stream.pk}|{problem.record_id}|0"
    link = own or Link(stream=stream, kind=kind.name, record_id=problem.record_id)
    link.remote_id = link.remote_id or PROVIDERS[stream.connection.integration].make_id(seed)
    link.decision, link.unsettled, link.parked = decision, True, False
    link.save()
    return link


def post_again(*, problem: Problem, user: Actor) -> SyncJob | None:
    """Makes again what was removed there. Tried at once. Raises AlreadyDecided."""
    return carry_out([settle_posting(problem=problem, user=user)], user)


def settle_posting(*, problem: Problem, user: Actor) -> ToSync:
    """Writes down that what was removed there is made again. Raises AlreadyDecided."""
    with transaction.atomic():
        link = _removed(problem)
        if _is_put_back(link):
            raise AlreadyDecided
        _put_back(link)
        audit_connection("posted_again", link.stream.connection, user, after={"record": link.record_id})
    return ToSync(link.stream.connection, [link.pk])


def _put_back(link: Link) -> None:
    link.decision = {"removal": RemovalChoice.PUT_BACK}
    link.save(update_fields=["decision", "updated_at"])
    # Where a job is running now, the next one finds it by this.
    write_rows([(link.stream_id, link.record_id, 0)], link.kind)


def void_here(*, problem: Problem, user: Actor) -> None:
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
        link.decision = None  # perhaps it was to be made again
        link.save(update_fields=["decision", "updated_at"])
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


def _is_put_back(link: Link) -> bool:
    """Returns whether it is made again by the next run."""
    dirty = DirtyRow.objects.filter(stream=link.stream, kind=link.kind, record_id=link.record_id)
    return link.decision == {"removal": RemovalChoice.PUT_BACK} and dirty.exists()
