"""Items whose price in the books includes a tax that nothing names: at which price before tax they are taken in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp import formats
from fieldcamp.money import plain
from integrations.errors import ProblemReason
from integrations.kinds import TAX
from integrations.ledger.problems import resolve_problems
from integrations.models import Link, Problem, Stream

NO_TAX = "none"  # answered in the place of a tax's id: the price includes none
_PLACES = Decimal("0.0000001")  # of a price


class NoSuchTax(Exception):
    """The tax is not known, the price is another by now, or the item waits for no answer any more."""


@dataclass(frozen=True)
class NetPrice:
    """What a price is before one of the books' taxes; `tax_id` may be NO_TAX."""

    tax_id: str
    tax: str
    price: Decimal

    @property
    def shown(self) -> str:
        return formats.price(self.price)


def is_gross(problem: Problem) -> bool:
    """Returns whether it is asked what a price is before tax."""
    return isinstance(problem.data, dict) and problem.data.get("reason") == ProblemReason.GROSS_PRICE


def net_prices(problems: Sequence[Problem]) -> dict[str, list[NetPrice]]:
    """Returns what may be answered to those of these problems that ask for a price before tax, by problem: one for each
    active tax of the same books, and that it includes none; one query."""
    asked = [problem for problem in problems if is_gross(problem)]
    if not asked:
        return {}
    taxes: dict[str | None, list[tuple[str, Any]]] = defaultdict(list)
    for company, remote_id, seen in _taxes(connection__in={problem.connection_id for problem in asked}):
        taxes[company].append((remote_id, seen))
    return {
        problem.pk: [
            NetPrice(remote_id, str(seen.get("name") or remote_id), _before(problem.data.get("price"), seen["rate"]))
            for remote_id, seen in taxes[problem.connection_id]
            if (seen or {}).get("active") and seen.get("rate")
        ]
        + [NetPrice(NO_TAX, "", _before(problem.data.get("price"), 0))]
        for problem in asked
    }


def settle_net_price(*, stream: Stream, problem: Problem, tax_id: str) -> int:
    """Writes down that the item of the books is taken in with its price before this tax, or as it is (NO_TAX); the
    link's id. It holds for the price that was asked about, and no other. Runs in the caller's transaction. Raises
    NoSuchTax."""
    links = Link.objects.present().unmatched().select_for_update().filter(stream=stream, remote_id=problem.record_id)
    link = links.first()
    gross = (link.seen or {}).get("gross_price") if link else None
    if link is None or gross is None or gross != problem.data.get("price"):
        raise NoSuchTax(gettext("This is asked no more, or the price is another by now. Look at the question again."))
    taxes = {remote_id: seen for _, remote_id, seen in _taxes(connection=stream.connection_id)}
    rate = 0 if tax_id == NO_TAX else (taxes.get(tax_id) or {}).get("rate")
    if rate is None:
        raise NoSuchTax(gettext("There is no such tax any more. Look at the question again."))
    link.decision, link.unsettled = {"price": plain(_before(gross, rate)), "gross": gross}, True
    link.save(update_fields=["decision", "unsettled", "updated_at"])
    ids = [problem.record_id]
    resolve_problems(stream.connection, now=timezone.now(), codes=[problem.code], kind=stream.kind, record_ids=ids)
    return link.pk


def _taxes(**which: Any) -> Any:
    links = Link.objects.present().filter(kind=TAX.name, **{f"stream__{name}": value for name, value in which.items()})
    return links.order_by("pk").values_list("stream__connection", "remote_id", "seen")


def _before(price: Any, rate: Any) -> Decimal:
    return (Decimal(str(price or 0)) / (1 + Decimal(str(rate)))).quantize(_PLACES)
