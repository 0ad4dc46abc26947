"""What a person does about a record, for each reason that is known of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.errors import ProblemReason

LazyText = Any  # a text, translated when it is shown


class FixTarget(StrEnum):
    """Where a fix's own button leads."""

    NOWHERE = ""
    RECORD = "record"
    CONNECTION = "connection"
    MAPPING = "mapping"
    LEAVING = "leaving"


@dataclass(frozen=True)
class Fix:
    """`title` names the problem, `sentence` what to do; `link` is the text of the button that leads to `leads`, and
    `button` that of the retry ("" where trying again would change nothing), `dismiss` that of the answer that all
    may stay as it is."""

    title: LazyText
    sentence: LazyText
    button: LazyText = _("Try again")
    dismiss: LazyText = _("Put away")
    leads: FixTarget = FixTarget.NOWHERE
    link: LazyText = ""
    nobody: LazyText = _("Somebody with more rights can fix this.")


DECIDES = _("An owner or admin decides this.")

REASONS: dict[str, Fix] = {
    ProblemReason.MOVED_FAR: Fix(
        _("Moved far in the calendar"),
        _(
            "Take it, and the visit moves as its event did. Put it back, and the event goes where the visit is. Until "
            "then both stay as they are, and everything else is synced."
        ),
    ),
    ProblemReason.MOVED: Fix(
        _("It is another customer's there"),
        _(
            "Give the invoice to the right client here, or move it back there. Until then the two sides say that "
            "different people owe it."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the invoice"),
    ),
    ProblemReason.MERGED: Fix(
        _("Merged there"),
        _("Two were made one there. If both are the same here as well, go on with one of them."),
        button="",
        nobody="",
    ),
    ProblemReason.MERGED_HERE: Fix(
        _("Of two customers there"),
        _("Merge the two customers there; this one goes on by itself after that. Or record a payment for each."),
        leads=FixTarget.RECORD,
        link=_("Open the payment"),
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
        nobody=DECIDES,
    ),
    ProblemReason.ITEM_MAPPING: Fix(
        _("A line has no item there"),
        _(
            "Choose the income account of new items and the item for lines without one. Everything that waits for them "
            "is then tried again."
        ),
        leads=FixTarget.MAPPING,
        link=_("Choose the item"),
        nobody=DECIDES,
    ),
    ProblemReason.GROSS_PRICE: Fix(
        _("What is its price before tax?"),
        _(
            "FieldCamp's prices are before tax, and the tax is added to them. Say which tax the price there includes. "
            "Until then the item is not taken in, and nothing is billed at it."
        ),
        button="",
    ),
    ProblemReason.CATEGORY: Fix(
        _("A class or location is wanted there"),
        _(
            "The company there refuses sales without one. Choose it for new invoices: those that wait are posted by "
            "the next sync, and lines that are added to others get it, too. What is there keeps its own; what has none "
            "gets it there."
        ),
        leads=FixTarget.MAPPING,
        link=_("Choose it"),
        nobody=DECIDES,
    ),
    ProblemReason.EMAIL: Fix(
        _("The e-mail address is missing or wrong"),
        _(
            "Give the client an e-mail address here, or correct it; or take back there that the document is to be sent "
            "by e-mail. Then try again."
        ),
        leads=FixTarget.RECORD,
        link=_("Open the record"),
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

TWO_CUSTOMERS = Fix(
    _("Two customers there, one client here"),
    _(
        "Merge the two there if the books are to have one as well: this ends by itself then. Or leave the two apart. "
        "FieldCamp merges nothing there, and gives no document there to another customer."
    ),
    button="",
    dismiss=_("Leave the two apart"),
)
