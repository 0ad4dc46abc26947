"""Saying that customers' balances in the books are meant to be what they are, and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from fieldcamp.money import cents
from integrations.accounts.audit_trail import audit_connection
from integrations.models import AcceptedBalance, Connection
from integrations.reconciliation.balances import BalanceGap
from integrations.reconciliation.verdict import keep
from integrations.services.decisions import AlreadyDecided
from integrations.services.reconciliation import reconcile_known


@dataclass(frozen=True)
class Accepted:
    """What a person has seen and accepts: the cause, the customer's id there, and the amount."""

    cause: str
    customer: str
    amount: Decimal


def accept_balances(*, connection: Connection, chosen: Sequence[Accepted], user: AbstractBaseUser) -> int:
    """Accepts these differences with their amounts, and makes the verdict anew; how many they are.

    Raises AlreadyDecided where there is none of them any more with that amount."""
    report = reconcile_known(connection)
    standing = {_key(gap): gap for gap in report.gaps} if report.is_whole else {}
    for row in report.accepted:
        standing.pop(_key(row.gap), None)
    gaps = [standing[key] for one in chosen if (key := (one.cause, one.customer, one.amount)) in standing]
    if not gaps:
        raise AlreadyDecided
    with transaction.atomic():
        for gap in gaps:
            AcceptedBalance.objects.update_or_create(
                connection=connection,
                cause=gap.cause,
                customer=gap.customer,
                defaults={"amount": gap.amount, "accepted_at": timezone.now()},
            )
            after = {"cause": gap.cause, "customer": gap.customer, "amount": cents(gap.amount)}
            audit_connection("balance_accepted", connection, user, after=after)
    keep(reconcile_known(connection))
    return len(gaps)


def take_back(*, connection: Connection, cause: str, customer: str, user: AbstractBaseUser) -> None:
    """Makes an accepted difference one again. Raises AlreadyDecided where it is one."""
    with transaction.atomic():
        row = AcceptedBalance.objects.filter(connection=connection, cause=cause, customer=customer).first()
        if row is None:
            raise AlreadyDecided
        before = {"cause": cause, "customer": customer, "amount": cents(row.amount)}
        row.delete()
        audit_connection("balance_not_accepted", connection, user, before=before)
    keep(reconcile_known(connection))


def _key(gap: BalanceGap) -> tuple[str, str, Decimal]:
    return gap.cause, gap.customer, gap.amount
