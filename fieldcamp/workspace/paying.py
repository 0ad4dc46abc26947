"""What can be done with payments. Locked in one order: the payment, then its invoices by their ids."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from fieldcamp.money import cents
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.lines import digest_of, settlement_of
from fieldcamp.workspace.models import Client, Invoice, Payment, PaymentAllocation, PaymentMethod, Workspace
from fieldcamp.workspace.models.invoices import today_in
from fieldcamp.workspace.saving import Check, different, is_client, known, locked, put, refuse_client, save_changes
from fieldcamp.workspace.telling import together
from fieldcamp.workspace.totals import LARGEST, ZERO

PAYMENT_FIELDS = frozenset({"client_id", "amount", "date", "method", "reference", "notes", "allocations"})

Shares = dict[str, Decimal]  # invoice id -> amount


def record_payment(
    *,
    workspace: Workspace,
    client_id: str,
    amount: Decimal,
    allocations: Sequence[Mapping[str, Any]] = (),
    date: dt.date | None = None,
    method: str = PaymentMethod.OTHER,
    reference: str = "",
    notes: str = "",
) -> Payment:
    """Records a payment of today or of `date`; `allocations` are {"invoice_id", "amount"}, and what is left
    stays unapplied. A client that is deleted still pays its invoices, and nothing else."""
    with together():
        lives = is_client(workspace, client_id)
        shares = shares_of(allocations)
        invoices = lock_invoices(shares)
        if not lives and not _was_billed(workspace, client_id, invoices):
            raise InvalidFields.of("client_id", refuse_client(workspace, client_id))
        payment = Payment(workspace=workspace, client_id=client_id, amount=amount, date=date or today_in(workspace))
        put(payment, {"method": method, "reference": reference, "notes": notes})
        _check(payment, shares, {}, invoices)
        insert_payment(payment, shares, invoices)
    return payment


def update_payment(
    *, workspace: Workspace, payment_id: str, changes: Mapping[str, Any], check: Check | None = None
) -> Payment:
    """Makes `changes` (model field → value; `allocations` as a whole) to the payment under its lock."""
    changes = known(changes, PAYMENT_FIELDS)
    with together():
        payment = locked(Payment, workspace, payment_id, check)
        allocations = changes.pop("allocations", None)
        if not changes.get("date", True):
            del changes["date"]
        old = shares_of(payment.allocations.values("invoice_id", "amount"))
        new = old if allocations is None else shares_of(allocations)
        edited = different(payment, changes)
        if payment.voided_at and (edited or new != old):
            raise InvalidTransition("This payment is void and is not changed any more. Record a new one instead.")
        if "client_id" in edited and not is_client(workspace, edited["client_id"]):
            raise InvalidFields.of("client_id", refuse_client(workspace, edited["client_id"]))
        invoices = lock_invoices({*old, *new})
        put(payment, edited)
        if new != old or {"amount", "client_id"} & {*edited}:
            _check(payment, new, old, invoices)
        change_payment(payment, edited, old, new, invoices)
    return payment


def void_payment(*, workspace: Workspace, payment_id: str, check: Check | None = None) -> Payment:
    """Takes the payment back: its invoices are open again. One that is void stays as it is."""
    with together():
        payment = locked(Payment, workspace, payment_id, check)
        if not payment.voided_at:
            shares = shares_of(payment.allocations.values("invoice_id", "amount"))
            invoices = lock_invoices(shares)
            change_payment(payment, put(payment, {"voided_at": timezone.now()}), shares, shares, invoices)
    return payment


def shares_of(allocations: Iterable[Mapping[str, Any]]) -> Shares:
    """Returns the amounts by invoice, in the order in which they were given; InvalidFields for an invoice that is named
    twice."""
    rows = list(allocations)
    twice = [invoice_id for invoice_id, count in Counter(row["invoice_id"] for row in rows).items() if count > 1]
    if twice:
        raise InvalidFields.of("allocations", f"Invoice {twice[0]} is named more than once.")
    return {row["invoice_id"]: Decimal(row["amount"]) for row in rows}


def lock_invoices(invoice_ids: Iterable[str]) -> dict[str, Invoice]:
    rows = Invoice.objects.filter(pk__in=[*invoice_ids]).order_by("pk").select_for_update()
    return {invoice.pk: invoice for invoice in rows}


def allocations_digest(shares: Shares) -> str:
    return digest_of((invoice_id, cents(amount)) for invoice_id, amount in shares.items())


def insert_payment(payment: Payment, shares: Shares, invoices: Mapping[str, Invoice]) -> None:
    """Saves a new payment; the caller holds its invoices' locks."""
    payment.allocations_digest = allocations_digest(shares)
    payment.save(force_insert=True)
    _allocate(payment, shares)
    bring_up_to_date(invoices)


def change_payment(
    payment: Payment, edited: Iterable[str], old: Shares, new: Shares, invoices: Mapping[str, Invoice]
) -> None:
    """Saves the fields that were edited and the new shares; the caller holds all locks."""
    changed = {*edited} | put(payment, {"allocations_digest": allocations_digest(new)})
    if [*new.items()] != [*old.items()]:
        payment.replaced = {"allocations": list(payment.allocations.all())}
        payment.allocations.all().delete()
        _allocate(payment, new)
    if changed:
        payment.save(update_fields=list(changed))
    bring_up_to_date(invoices)


def bring_up_to_date(invoices: Mapping[str, Invoice]) -> None:
    """Works out what is paid of each of these locked invoices, from the payments that are not voided."""
    paid = dict.fromkeys(invoices, ZERO)
    live = PaymentAllocation.objects.filter(payment__voided_at=None, payment__deleted_at=None)
    for invoice_id, amount in live.filter(invoice__in=[*invoices]).values_list("invoice_id", "amount"):
        paid[invoice_id] += amount
    for invoice in invoices.values():
        settled = paid[invoice.pk] + invoice.deposit
        settlement = settlement_of(invoice.total, settled, sent=invoice.sent_at is not None)
        save_changes(invoice, {"paid": paid[invoice.pk], "settlement": settlement})


def _allocate(payment: Payment, shares: Shares) -> None:
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=payment, invoice_id=invoice_id, amount=amount)
        for invoice_id, amount in shares.items()
    )


def _check(payment: Payment, new: Shares, old: Shares, invoices: Mapping[str, Invoice]) -> None:
    """Refuses what a person may not record."""
    wrong: dict[str, list[str]] = {}
    if payment.amount > LARGEST or payment.amount < 0 or not (payment.amount or payment.made_in):
        wrong["amount"] = ["Must be more than nothing." if payment.amount <= 0 else f"Must not exceed {LARGEST:,}."]
    for position, (invoice_id, amount) in enumerate(new.items()):
        sentence = _refusal(payment, invoices.get(invoice_id), amount, old.get(invoice_id, ZERO))
        if sentence:
            wrong[f"allocations.{position}"] = [sentence]
    if sum(new.values()) > payment.applicable:
        wrong["allocations"] = [_too_much(payment)]
    if wrong:
        raise InvalidFields(wrong)


def _too_much(payment: Payment) -> str:
    parts = [f"{cents(payment.credited)} of credit was applied with it"] if payment.credited else []
    parts += [f"{cents(payment.elsewhere)} of it was used otherwise"] if payment.elsewhere else []
    if not parts:
        return "Must not be more than the payment's amount in all."
    return f"Must not be more than {cents(max(payment.applicable, ZERO))} in all: in the books {' and '.join(parts)}."


def _pays_for(payer: Client, billed: Client) -> bool:
    """Returns whether it is the same client, or one is a place of the other."""
    return billed.pk in (payer.pk, payer.parent_id) or payer.pk == billed.parent_id


def _was_billed(workspace: Workspace, client_id: str, invoices: Mapping[str, Invoice]) -> bool:
    """Returns whether it is a client whose, or whose places', one of these invoices is."""
    client = Client.objects.filter(workspace=workspace, pk=client_id).first()
    return client is not None and any(_pays_for(client, invoice.client) for invoice in invoices.values())


def _refusal(payment: Payment, invoice: Invoice | None, amount: Decimal, before: Decimal) -> str:
    """Returns why this share cannot be given to this invoice; "" if it can. One that it has is kept, or lowered,
    whatever has become of the invoice."""
    if 0 < amount <= before:
        return ""
    if invoice is None or invoice.workspace_id != payment.workspace_id or invoice.deleted_at:
        return "There is no such invoice."
    if not before and not _pays_for(payment.client, invoice.client):
        return f"Invoice {invoice.number} is another client's."
    if invoice.voided_at:
        return f"Invoice {invoice.number} is void."
    if not invoice.sent_at:
        return f"Invoice {invoice.number} is a draft. Send it first."
    if amount <= 0:
        return "Must be more than nothing."
    if amount > max(invoice.balance + before, before):
        open_ = cents(max(invoice.balance + before, ZERO))
        taken = f": a deposit of {cents(invoice.deposit)} was taken in the books" if invoice.deposit else ""
        return f"Only {open_} of invoice {invoice.number} is open{taken}."
    return ""
