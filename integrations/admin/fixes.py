"""What a person does about a problem: a sentence and a button for each code, and for each reason where one is known."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import INVOICE, PAYMENT
from integrations.models import Problem

LazyText = Any  # a text, translated when it is shown


class FixTarget(StrEnum):
    """Where a fix's own button leads."""

    NOWHERE = ""
    RECORD = "record"
    CONNECTION = "connection"
    MAPPING = "mapping"


@dataclass(frozen=True)
class Fix:
    """`title` names the problem, `sentence` what to do; `link` is the text of the button that leads to `leads`, and
    `button` that of the retry ("" where trying again would change nothing)."""

    title: LazyText
    sentence: LazyText
    button: LazyText = _("Try again")
    leads: FixTarget = FixTarget.NOWHERE
    link: LazyText = ""
    nobody: LazyText = _("Somebody with more rights can fix this.")


_DECIDES = _("An owner or admin decides this.")
_RECONNECTS = _("An owner, an admin or the account's own technician reconnects it.")

CODES: dict[str, Fix] = {
    ProblemCode.NEEDS_RECONNECT: Fix(
        _("Reconnect this account"),
        _(
            "Nothing is lost: settings, links and what is still to be synced are kept and taken up again after you "
            "reconnect."
        ),
        nobody=_RECONNECTS,
    ),
    ProblemCode.NEEDS_PERMISSION: Fix(
        _("A permission is missing"),
        _(
            "Grant it: reconnect, and leave every box ticked when the provider asks. Nothing is synced for this "
            "account until then."
        ),
        nobody=_RECONNECTS,
    ),
    ProblemCode.MISCONFIGURED: Fix(
        _("For the operator"),
        _(
            "This is about the site's own credentials at the provider, not about the account: whoever runs this site "
            "has to correct it. Accounts stay connected. Try again afterwards."
        ),
    ),
    ProblemCode.CONFIRMATION_NEEDED: Fix(
        _("Confirm removals"),
        _(
            "Putting back makes again what is missing there; cutting loose leaves it removed there. Nothing is deleted "
            "in FieldCamp either way. Until then these records wait, and everything else is synced."
        ),
        nobody=_DECIDES,
    ),
    ProblemCode.CONFLICT: Fix(_("Changed on both sides"), _("Choose which side is right. Only this record waits.")),
    ProblemCode.RECORD_REJECTED: Fix(
        _("A record was refused"),
        _(
            "Correct the record as the sentence above says. Everything else is synced, and this one is tried again by "
            "itself as soon as it is edited."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemCode.AMOUNT_VARIANCE: Fix(
        _("The totals differ"),
        _("Compare lines, discount and tax on both sides, correct the one that is wrong, and try again."),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemCode.FULL_SYNC_FORCED: Fix(
        _("Everything was read again"), _("There is nothing to do: no record is lost or doubled by it."), button=""
    ),
    ProblemCode.INTERNAL_ERROR: Fix(
        _("Something went wrong on our side"),
        _("The next sync tries again by itself. If it stays, tell support the job that is named under Jobs."),
    ),
    ProblemCode.RATE_LIMITED: Fix(
        _("The provider asks us to wait"),
        _("There is nothing to do: the sync goes on by itself when the wait is over."),
    ),
    ProblemCode.PROVIDER_UNAVAILABLE: Fix(
        _("The provider does not answer"), _("There is nothing to do: the next sync tries again by itself.")
    ),
    ProblemCode.RECORD_REMOVED: Fix(
        _("Removed there"),
        _(
            "FieldCamp never makes it again unasked. Make it again if it was removed by mistake, say which other one "
            "it is there by now, or void the invoice or payment here as well. Until then the two sides differ."
        ),
        button="",
        nobody=_DECIDES,
    ),
    ProblemCode.WAITING_FOR_GONE: Fix(
        _("It waits for another record"),
        _("Decide about the record that is named above. This one goes on by itself with the next sync after that."),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemCode.POSSIBLE_DUPLICATE: Fix(
        _("Was it entered twice?"),
        _(
            "If it is the same money, delete the second payment there: this closes by itself with the next sync. If it "
            "is another payment, take it in."
        ),
        button="",
    ),
    ProblemCode.EVENT_REMOVED: Fix(
        _("Removed there"), _("The record is unchanged in FieldCamp."), button="", nobody=""
    ),
}
_OTHER = Fix(_("Something needs attention"), _("Look at the sentence above, correct what it names, and try again."))

REASONS: dict[str, Fix] = {
    ProblemReason.MERGED: Fix(
        _("Merged there"),
        _("Two customers were made one there. If the two clients are the same here as well, go on with one of them."),
        button="",
        nobody="",
    ),
    ProblemReason.MATCH: Fix(
        _("Is it the same?"),
        _(
            "Compare the two. If it is the same, they are linked and kept equal from now on; if not, a new one is "
            "made. Until then only this record and its documents wait."
        ),
        button="",
    ),
    ProblemReason.DUPLICATE_NAME: Fix(
        _("The name is taken"),
        _(
            "Another customer, vendor or employee there has this name. Give this one a name of its own, or rename the "
            "other there; then try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Change the name"),
    ),
    ProblemReason.NAME_TAKEN_BY_VENDOR: Fix(
        _("A vendor has this name"),
        _(
            "Names are shared there by customers, vendors and employees. Change the name here, for example by adding "
            "“(customer)”, and try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Change the name"),
    ),
    ProblemReason.NAME_TAKEN_BY_EMPLOYEE: Fix(
        _("An employee has this name"),
        _(
            "Names are shared there by customers, vendors and employees. Change the name here, for example by adding "
            "“(customer)”, and try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Change the name"),
    ),
    ProblemReason.DUPLICATE_NUMBER: Fix(
        _("The number is taken"),
        _("A document with this number is there already. Give this one another number, or delete the other there."),
        leads=FixTarget.RECORD,
        link=_("Change the number"),
    ),
    ProblemReason.INACTIVE_REFERENCE: Fix(
        _("It refers to something inactive"),
        _(
            "A customer, item or account that this record uses was made inactive there. Make it active again there, or "
            "choose another one here."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.CLOSED_PERIOD: Fix(
        _("The books are closed for this date"),
        _("Give the document a date after the closing date, or ask the bookkeeper to move the closing date."),
        leads=FixTarget.RECORD,
        link=_("Change the date"),
    ),
    ProblemReason.DEPOSITED: Fix(
        _("The payment is deposited"),
        _(
            "A deposited payment is not changed from here. Ask the bookkeeper to take it out of the deposit, or undo "
            "the change."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the payment"),
    ),
    ProblemReason.SETTLED: Fix(
        _("It is settled already"),
        _("What is settled there is not changed any more. Undo the change here, or correct it there."),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.HAS_PAYMENTS: Fix(
        _("Payments are applied to it"),
        _("Take the payments off the invoice first, here or there; then try again."),
        leads=FixTarget.RECORD,
        link=_("Open the invoice"),
    ),
    ProblemReason.HOLDS_MORE: Fix(
        _("The document there holds more than FieldCamp can change"),
        _(
            "Nothing was written, since something that was added there would be lost. Make the change there, or undo "
            "it here; then try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.UNREADABLE: Fix(
        _("The document there cannot be read in full"),
        _(
            "Its amounts are not changed from here, nor taken over. Make the change there, or undo it here; then try "
            "again."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.OVER_APPLIED: Fix(
        _("More is paid than is open"),
        _(
            "Apply less to the invoice, or take off the other payment if it is the same money; the sentence above says "
            "how much is open there. Then try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the payment"),
    ),
    ProblemReason.TAX_MAPPING: Fix(
        _("A tax rate has no tax code there"),
        _("Say which tax code this tax rate is. Everything that waits for it is then tried again."),
        leads=FixTarget.MAPPING,
        link=_("Map the tax code"),
        nobody=_DECIDES,
    ),
    ProblemReason.ITEM_MAPPING: Fix(
        _("A line has no item there"),
        _(
            "Choose the income account of new items and the item for lines without one. Everything that waits for them "
            "is then tried again."
        ),
        leads=FixTarget.MAPPING,
        link=_("Choose the item"),
        nobody=_DECIDES,
    ),
    ProblemReason.CURRENCY: Fix(
        _("The currencies differ"),
        _(
            "The record is in another currency than the company there keeps its books in. Correct the currency of the "
            "customer there."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.SUBSCRIPTION: Fix(
        _("The subscription there has ended"),
        _("Nothing can be written until the subscription is renewed at the provider. Nothing is lost meanwhile."),
        leads=FixTarget.CONNECTION,
        link=_("Look at the account"),
    ),
    ProblemReason.INTERNAL: Fix(
        _("Something went wrong on our side"),
        _("Everything else is synced. The next sync tries this record again by itself; if it stays, tell support."),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
    ProblemReason.LIMITS: Fix(
        _("A limit of the provider is reached"),
        _("Shorten what is too long or split the record, or raise the limit of the plan there; then try again."),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
    ),
}
SAME_NUMBER = Fix(
    _("Is it the same invoice?"),
    _(
        "An invoice with this number is there already. If it is the same sale, they are linked and what differs is "
        "settled like any change. If it is another, this one gets the next free number and is posted: send it to the "
        "client again then. Until you say which, it waits with its payments."
    ),
    button="",
)
SAME_MONEY = Fix(
    _("Is it the same payment?"),
    _(
        "If it is the same money, it is kept once, with the day, the amount and the invoices that stand there. If it "
        "is another payment, both sides get both. Until you say which, it is counted once."
    ),
    button="",
)
_SAME: dict[str, Fix] = {INVOICE.name: SAME_NUMBER, PAYMENT.name: SAME_MONEY}
TITLES = {code: fix.title for code, fix in CODES.items()}


def fix_of(problem: Problem) -> Fix:
    """Returns the fix for exactly what is wrong, else the one for the kind of problem; there is always one."""
    reason = problem.data.get("reason") if isinstance(problem.data, dict) else None
    if reason == ProblemReason.MATCH and problem.code == ProblemCode.RECORD_REJECTED and problem.record_kind in _SAME:
        return _SAME[problem.record_kind]
    if problem.code == ProblemCode.POSSIBLE_DUPLICATE:
        return CODES[ProblemCode.POSSIBLE_DUPLICATE]
    return REASONS.get(str(reason)) or CODES.get(problem.code, _OTHER)
