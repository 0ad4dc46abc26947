"""What is not sent, because QuickBooks would refuse it, or because we do not do it to anybody's books."""

import datetime as dt
from collections.abc import Mapping, Sequence

from fieldcamp import formats
from fieldcamp.money import cents
from integrations.errors import ProblemReason, ProviderError, Rejected
from integrations.providers.quickbooks.mapping.parts import Body, decimal, is_voided
from integrations.providers.quickbooks.reading import LISTS, TAX_CODES
from integrations.records import Operation, Verb

TRANSACTIONS = ("Invoice", "Payment")


def is_void(operation: Operation) -> bool:
    return operation.verb is Verb.UPDATE and operation.fields.get("voided") is True


def refusals(
    entity: str, operations: Sequence[Operation], there: Mapping[str, Body], closed_until: str
) -> dict[str, ProviderError]:
    """Returns the refusals by the operation's key. `there` are the bodies of what is to be changed, as far as they were
    read; `closed_until` is the last day of the closed books, or ""."""
    found: dict[str, ProviderError] = {}
    for operation in operations:
        body = there.get(operation.remote_id) or {}
        error = _never(entity, operation)
        if not error and entity in TRANSACTIONS:
            error = _blocked(operation, body) or _closed(operation, body, closed_until)
        if error:
            found[operation.key] = error
    return found


def _never(entity: str, operation: Operation) -> Rejected | None:
    if entity == TAX_CODES:
        return Rejected(
            "FieldCamp makes and changes no tax codes in QuickBooks. Map the tax rate to one of QuickBooks' codes.",
            reason=ProblemReason.TAX_MAPPING,
        )
    if operation.verb is Verb.DELETE:
        return Rejected("FieldCamp deletes nothing in QuickBooks. Remove it there, if it has to go.")
    if entity == "Item" and operation.verb is Verb.CREATE and not operation.fields.get("income_account"):
        return Rejected(
            "A new item needs an income account. Choose one in the connection's settings, then retry.",
            reason=ProblemReason.ITEM_MAPPING,
        )
    if entity in LISTS:
        return None
    if operation.verb is Verb.CREATE and operation.fields.get("voided"):
        return Rejected("It is void in FieldCamp and was never in QuickBooks, so there is nothing to post.")
    if operation.verb is Verb.UPDATE and operation.fields.get("voided") is False:
        return Rejected("It was voided in QuickBooks, which cannot be undone there. Void it here, or make a new one.")
    return None


def _blocked(operation: Operation, body: Body) -> Rejected | None:
    """Refuses a void of what other transactions hold on to."""
    if not is_void(operation) or not body or is_voided(body):
        return None
    total, balance = decimal(body.get("TotalAmt")), decimal(body.get("Balance", body.get("TotalAmt")))
    if deposit := decimal(body.get("Deposit")):
        return Rejected(
            f"A deposit of {cents(deposit)} was taken on this invoice in QuickBooks, and a void would lose it. Take the"
            " deposit off the invoice there, then retry.",
            reason=ProblemReason.HAS_PAYMENTS,
        )
    if balance != total:
        return Rejected(
            f"Payments of {cents(total - balance)} are applied to this invoice in QuickBooks. Unapply or void them"
            " first, then retry.",
            reason=ProblemReason.HAS_PAYMENTS,
        )
    if any(row.get("TxnType") == "Deposit" for row in body.get("LinkedTxn") or ()):
        return Rejected(
            "The payment is part of a bank deposit. Remove it from the deposit in QuickBooks, then retry.",
            reason=ProblemReason.DEPOSITED,
        )
    return None


def _day(text: str) -> str:
    """Returns a day as people read it; what is none as it is."""
    try:
        return formats.day(dt.date.fromisoformat(text))
    except ValueError:
        return text


def _closed(operation: Operation, body: Body, closed_until: str) -> Rejected | None:
    days = {str(operation.fields.get("date") or ""), str(body.get("TxnDate") or "")} - {""}
    if not closed_until or not days or min(days) > closed_until:
        return None
    return Rejected(
        f"The books are closed until {_day(closed_until)}, and this is dated {_day(min(days))}. Change the date, or"
        " reopen the period in QuickBooks.",
        reason=ProblemReason.CLOSED_PERIOD,
    )
