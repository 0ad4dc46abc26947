"""What most would choose for the books of a company, and what they should know before they do."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.money import plain
from fieldcamp.workspace.models import Invoice, TaxRate
from integrations.models import Connection
from integrations.records import Company, Reference
from integrations.services.books.setup import Choices

# Income that is not earned by sales.
_OTHER_INCOME = re.compile(r"discount|refund|return|interest|tips", re.IGNORECASE)
_STAND_INS = ("services", "service", "general", "miscellaneous", "other", "labor")


@dataclass(frozen=True)
class Suggestions:
    """`invoices_from` is None: all that FieldCamp has sent are covered. `oldest` is the first of those, of `invoices`;
    `closed` are dated in books that are closed, and `after_closing` is the day from which on none is."""

    income_account: str
    default_item: str
    invoices: int
    oldest: dt.date | None
    closed: int
    after_closing: dt.date | None
    invoices_from: dt.date | None = None


def suggestions(connection: Connection, choices: Choices) -> Suggestions:
    """Reads FieldCamp only; what the provider has is in `choices`."""
    sent = Invoice.objects.alive().filter(
        workspace_id=connection.workspace_id, sent_at__isnull=False, voided_at__isnull=True
    )
    closed_until = day_of(choices.company.closed_until)
    closed = Q(date__lte=closed_until) if closed_until else Q(pk__in=[])
    facts = sent.aggregate(count=Count("pk"), oldest=Min("date"), closed=Count("pk", filter=closed))
    return Suggestions(
        income_account=_income_account(choices.income_accounts),
        default_item=_stand_in(choices.items),
        invoices=facts["count"],
        oldest=facts["oldest"],
        closed=facts["closed"],
        after_closing=closed_until + dt.timedelta(days=1) if closed_until else None,
    )


def day_of(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _income_account(accounts: Sequence[Reference]) -> str:
    """Returns an account of services, else one of sales, else the first that takes what is sold."""

    def rank(account: Reference) -> int:
        words = f"{account.name} {account.detail}".casefold()
        return 0 if "service" in words else 1 if "sales" in words else 2

    # Of several that fit alike the one that is named most plainly.
    fitting = [one for one in accounts if not _OTHER_INCOME.search(f"{one.name} {one.detail}")]
    return min(fitting, key=lambda one: (rank(one), len(one.name), one.name)).id if fitting else ""


def _stand_in(items: Sequence[Reference]) -> str:
    by_name = {item.name.casefold(): item.id for item in items}
    return next((by_name[name] for name in _STAND_INS if name in by_name), "")


def warnings(company: Company) -> list[str]:
    """Returns what a person should know of this company before its first sync."""
    found = []
    if not company.subscription_active:
        ended = gettext("The subscription of this company has ended. Nothing can be written until it is renewed.")
        found.append(ended)
    if company.multi_currency:
        several = gettext(
            "This company keeps its books in several currencies. FieldCamp's amounts are posted in {currency}; a "
            "customer who is kept in another currency waits for you to decide."
        )
        found.append(several.format(currency=company.currency))
    return found


TAX_MODES = {
    "none": _("No sales tax is used there."),
    "manual": _("Sales tax by tax codes: each tax rate of FieldCamp is mapped to one of them."),
    "automated": _("Sales tax is computed there from the customer's address; totals are compared after each invoice."),
    "foreign": _("Each line carries a tax code, as it is done outside the United States."),
}


def likely_codes(tax_rate: TaxRate, codes: Sequence[Reference]) -> list[Reference]:
    """Returns tax codes of the same rate, those of a similar name first."""
    words = set(re.findall(r"\w+", tax_rate.name.casefold()))
    same = [code for code in codes if code.active and code.detail == plain(tax_rate.rate)]
    return sorted(same, key=lambda code: (-len(words & set(re.findall(r"\w+", code.name.casefold()))), code.name))
