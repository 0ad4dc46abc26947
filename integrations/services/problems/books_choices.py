"""What can be answered where the books have a record that may be ours, or lost one, or say a price with its tax."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.errors import ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.models import Problem
from integrations.providers import PROVIDERS
from integrations.services.books.decisions import NEW, REMOVED
from integrations.services.books.net_prices import NO_TAX, NetPrice
from integrations.services.problems.causes import reason_of
from integrations.services.problems.choice import (
    LEAVE_APART,
    MAKE_AGAIN,
    NET,
    SAME,
    VOID_HERE,
    VOID_SAME,
    Called,
    Choice,
)
from integrations.services.problems.matches import MatchQuestion, is_over_applied, is_repeated

MAKE_NEW: dict[str, Any] = {
    CUSTOMER.name: _("Make a new customer"),
    ITEM.name: _("Make a new item"),
    INVOICE.name: _("It is another: give this one the next number"),
    PAYMENT.name: _("It is another payment"),
}


def of_removed(problem: Problem) -> list[Choice]:
    if problem.link_id is None:
        return []
    document = problem.record_kind in (INVOICE.name, PAYMENT.name)
    there = PROVIDERS[problem.integration].label
    found = []
    if reason_of(problem) != ProblemReason.MERGED:
        label = gettext("Post it again") if document else gettext("Make it again there")
        made = gettext("It is made again in {place}.").format(place=there)
        found.append(Choice(MAKE_AGAIN, label, made, default=True, for_all=MAKE_AGAIN))
    if document:
        voided = gettext("It is voided in FieldCamp as well.")
        void = gettext("Void it here too")
        found.append(Choice(VOID_HERE, void, voided, right="settings", dangerous=True, for_all=VOID_HERE))
    return found


def leave_apart() -> Choice:
    return Choice(
        LEAVE_APART,
        gettext("Leave the two apart"),
        gettext("Nothing is changed, and it is not asked again while both stay as they are."),
        right="ignore",
        for_all=LEAVE_APART,
    )


def of_match(problem: Problem, question: MatchQuestion, called: Called) -> list[Choice]:
    return [*_sames(problem, question, called), *_another(problem, question)]


def _sames(problem: Problem, question: MatchQuestion, called: Called) -> list[Choice]:
    if is_repeated(problem):
        return _same_money(problem)
    kind = problem.record_kind
    free = [link for link in question.candidates if not link.record_id]
    taken = [link for link in question.candidates if link.record_id] if kind == PAYMENT.name else []
    alone = len(free) == 1 and len(question.candidates) == 1
    linked = gettext("The two are linked, and kept equal from now on. Nothing is made there.")
    money = gettext("The two are linked as one payment, with the day, the amount and the invoices that stand there.")
    voided = gettext("This payment is voided in FieldCamp, which has the other one already.")
    return [
        Choice(
            f"{SAME}:{link.remote_id}",
            gettext("Same as “{name}”").format(name=called(kind, link.seen or {})),
            money if kind == PAYMENT.name else linked,
            default=len(free) == 1 and kind not in (INVOICE.name, PAYMENT.name),
            for_all=SAME if alone else "",
            remote_id=link.remote_id,
        )
        for link in free
    ] + [
        Choice(
            f"{VOID_SAME}:{link.remote_id}",
            gettext("Same as “{name}”: void this one").format(name=called(kind, link.seen or {})),
            voided,
            right="settings",
            dangerous=True,
            remote_id=link.remote_id,
        )
        for link in taken
    ]


def _same_money(problem: Problem) -> list[Choice]:
    """Returns the choice that both sides have it already, as long as it was not made."""
    if problem.data.get("answer") == SAME:
        return []
    there = PROVIDERS[problem.integration].label
    effect = gettext("It is not taken in. Delete or void the second one in {place}; until then the two sides differ.")
    label, effect = gettext("It is the same payment"), effect.format(place=there)
    return [Choice(f"{SAME}:{problem.record_id}", label, effect, for_all=SAME, remote_id=problem.record_id)]


def _another(problem: Problem, question: MatchQuestion) -> list[Choice]:
    """Returns the choice that makes a new one; under another name where its own is taken there."""
    if is_over_applied(problem) or problem.code == REMOVED:
        return []
    kind, there = problem.record_kind, PROVIDERS[problem.integration].label
    if is_repeated(problem):
        taken_in = gettext("The payment of {place} is taken in as another one.").format(place=there)
        return [Choice(NEW, gettext("It is another payment: take it in"), taken_in, for_all=NEW)]
    label, name = str(MAKE_NEW[kind]), question.new_name
    if name:
        label = gettext("{make}, “{name}”").format(make=label, name=name)
    effect = gettext("Another one is made in {place}.").format(place=there)
    if kind == INVOICE.name:
        effect = gettext("It gets the next free number and is made in {place}. Send it to the client again then.")
        effect = effect.format(place=there)
    values = ("name",) if kind in (CUSTOMER.name, ITEM.name) else ()
    return [Choice(NEW, label, effect, values=values, for_all=NEW, name=name)]


def of_net_prices(prices: Sequence[NetPrice]) -> list[Choice]:
    """Returns a choice for each tax by which an item's price may have come about, and for none."""
    included, none = gettext("With {tax} in it: take it in at {price}"), gettext("No tax in it: take it in at {price}")
    return [
        Choice(
            f"{NET}:{price.tax_id}",
            (none if price.tax_id == NO_TAX else included).format(tax=price.tax, price=price.shown),
            gettext("The item is made in FieldCamp with this price before tax. Nothing is changed there."),
            for_all=f"{NET}:{price.tax_id}",
            remote_id=price.tax_id,
        )
        for price in prices
    ]
