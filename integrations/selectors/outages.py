"""Whether a vendor fails for everybody at present. Counted in the database, from what the accounts have met with: any
process comes to the same."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from integrations.errors import ProblemCode
from integrations.models import Connection, Problem, VendorOutage

WINDOW = dt.timedelta(minutes=15)  # what is older says little of now
ENOUGH_ACCOUNTS, FEWEST_ACCOUNTS, ENOUGH_COMPANIES = 5, 3, 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many accounts of how many companies have met with a vendor's trouble, and when the first of them did."""

    accounts: int = 0
    companies: int = 0
    first: dt.datetime | None = None


def troubled(since: dt.datetime) -> QuerySet[Problem]:
    """Returns the open problems of accounts that the vendor has not let in since then for a reason of its own: it did
    not answer, not properly, or said 5xx and when to come back. (A limit of calls that was reached is none.)"""
    down = Q(code=ProblemCode.PROVIDER_UNAVAILABLE) | Q(code=ProblemCode.RATE_LIMITED, detail__startswith="50")
    return Problem.objects.open().filter(
        down, record_id="", record_kind="", connection__isnull=False, occurred_at__gte=since
    )


def troubles(since: dt.datetime) -> dict[str, Trouble]:
    """Returns the trouble since then, by integration."""
    rows = troubled(since).order_by().values_list("integration")
    counted = rows.annotate(
        accounts=Count("connection", distinct=True), companies=Count("workspace", distinct=True),
        first=Min("occurred_at"),
    )  # fmt: skip
    return {integration: Trouble(accounts, companies, first) for integration, accounts, companies, first in counted}


def let_in(integration: str, since: dt.datetime) -> int:
    """Returns how many accounts were synced since then and have met with no trouble after that."""
    stuck = troubled(since).filter(connection=OuterRef("pk"))
    return Connection.objects.filter(~Exists(stuck), integration=integration, last_synced_at__gte=since).count()


def looks_out(integration: str, trouble: Trouble, now: dt.datetime) -> bool:
    """Returns whether so much trouble within `WINDOW` is the vendor's and not the accounts' own: more accounts fail
    than are let in, several of them, and of several companies where there are several."""
    if trouble.accounts < FEWEST_ACCOUNTS:
        return False
    active = Connection.objects.active().filter(integration=integration)
    accounts = active.count()
    companies = active.order_by().values("workspace").distinct().count()
    return (
        trouble.accounts >= min(ENOUGH_ACCOUNTS, max(accounts, FEWEST_ACCOUNTS))
        and trouble.companies >= min(ENOUGH_COMPANIES, max(companies, 1))
        and trouble.accounts > let_in(integration, now - WINDOW)
    )


def is_out(integration: str, now: dt.datetime) -> bool:
    """Returns whether the vendor fails for everybody: nothing that an account meets with now is its own."""
    if VendorOutage.objects.filter(integration=integration, closed_at=None, ended_at=None).exists():
        return True
    trouble = troubles(now - WINDOW).get(integration)
    return trouble is not None and looks_out(integration, trouble, now)
