"""What a person does about a problem: a sentence and a button for each code, and for each reason where one is known."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.models import Issue


class Lead(StrEnum):
    """Where a fix's own button leads."""

    NOWHERE = ""
    RECORD = "record"
    CONNECTION = "connection"
    MAPPING = "mapping"


@dataclass(frozen=True)
class Fix:
    """`title` names the problem, `sentence` what to do; `link` is the text of the button that leads to `leads`, and
    `button` that of the retry ("" where trying again would change nothing)."""

    title: str
    sentence: str
    button: str = "Try again"
    leads: Lead = Lead.NOWHERE
    link: str = ""
    nobody: str = "Somebody with more rights can fix this."


_DECIDES = "An owner or admin decides this."
_RECONNECTS = "An owner, an admin or the account's own technician reconnects it."

CODES: dict[str, Fix] = {
    "NEEDS_RECONNECT": Fix(
        "Reconnect this account",
        "Nothing is lost: settings, links and what is still to be synced are kept and taken up again after you "
        "reconnect.",
        nobody=_RECONNECTS,
    ),
    "NEEDS_PERMISSION": Fix(
        "A permission is missing",
        "Grant it: reconnect, and leave every box ticked when the provider asks. Nothing is synced for this account "
        "until then.",
        nobody=_RECONNECTS,
    ),
    "MISCONFIGURED": Fix(
        "For the operator",
        "This is about the site's own credentials at the provider, not about the account: whoever runs this site has "
        "to correct it. Accounts stay connected. Try again afterwards.",
    ),
    "CONFIRMATION_NEEDED": Fix(
        "Confirm removals",
        "Putting back makes again what is missing there; cutting loose leaves it removed there. Nothing is deleted in "
        "FieldCamp either way. Until then these records wait, and everything else is synced.",
        nobody=_DECIDES,
    ),
    "CONFLICT": Fix("Changed on both sides", "Choose which side is right. Only this record waits."),
    "RECORD_REJECTED": Fix(
        "A record was refused",
        "Correct the record as the sentence above says. Everything else is synced, and this one is tried again by "
        "itself as soon as it is edited.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
    "AMOUNT_VARIANCE": Fix(
        "The totals differ",
        "Compare lines, discount and tax on both sides, correct the one that is wrong, and try again.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
    "FULL_SYNC_FORCED": Fix(
        "Everything was read again", "There is nothing to do: no record is lost or doubled by it.", button=""
    ),
    "INTERNAL_ERROR": Fix(
        "Something went wrong on our side",
        "The next sync tries again by itself. If it stays, tell support the job that is named under Jobs.",
    ),
    "RATE_LIMITED": Fix(
        "The provider asks us to wait", "There is nothing to do: the sync goes on by itself when the wait is over."
    ),
    "PROVIDER_UNAVAILABLE": Fix(
        "The provider does not answer", "There is nothing to do: the next sync tries again by itself."
    ),
    "RECORD_REMOVED": Fix(
        "Removed there",
        "FieldCamp never makes it again unasked. Make it again if it was removed by mistake; if it was meant, you need "
        "do nothing, and an invoice or payment can be voided here as well.",
        button="",
        nobody="",
    ),
    "EVENT_REMOVED": Fix("Removed there", "The record is unchanged in FieldCamp.", button="", nobody=""),
}
_OTHER = Fix("Something needs attention", "Look at the sentence above, correct what it names, and try again.")

REASONS: dict[str, Fix] = {
    "match": Fix(
        "Is it the same?",
        "Compare the two. If it is the same, they are linked and kept equal from now on; if not, a new one is made. "
        "Until then only this record and its documents wait.",
        button="",
    ),
    "duplicate_name": Fix(
        "The name is taken",
        "Another customer, vendor or employee there has this name. Give this one a name of its own, or rename the "
        "other there; then try again.",
        leads=Lead.RECORD,
        link="Change the name",
    ),
    "name_taken_by_vendor": Fix(
        "A vendor has this name",
        "Names are shared there by customers, vendors and employees. Change the name here, for example by adding "
        "“(customer)”, and try again.",
        leads=Lead.RECORD,
        link="Change the name",
    ),
    "duplicate_number": Fix(
        "The number is taken",
        "A document with this number is there already. Give this one another number, or delete the other there.",
        leads=Lead.RECORD,
        link="Change the number",
    ),
    "inactive_reference": Fix(
        "It refers to something inactive",
        "A customer, item or account that this record uses was made inactive there. Make it active again there, or "
        "choose another one here.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
    "closed_period": Fix(
        "The books are closed for this date",
        "Give the document a date after the closing date, or ask the bookkeeper to move the closing date.",
        leads=Lead.RECORD,
        link="Change the date",
    ),
    "deposited": Fix(
        "The payment is deposited",
        "A deposited payment is not changed from here. Ask the bookkeeper to take it out of the deposit, or undo the "
        "change.",
        leads=Lead.RECORD,
        link="Open the payment",
    ),
    "settled": Fix(
        "It is settled already",
        "What is settled there is not changed any more. Undo the change here, or correct it there.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
    "has_payments": Fix(
        "Payments are applied to it",
        "Take the payments off the invoice first, here or there; then try again.",
        leads=Lead.RECORD,
        link="Open the invoice",
    ),
    "tax_mapping": Fix(
        "A tax rate has no tax code there",
        "Say which tax code this tax rate is. Everything that waits for it is then tried again.",
        leads=Lead.MAPPING,
        link="Map the tax code",
        nobody=_DECIDES,
    ),
    "item_mapping": Fix(
        "A line has no item there",
        "Choose the income account of new items and the item for lines without one. Everything that waits for them is "
        "then tried again.",
        leads=Lead.MAPPING,
        link="Choose the item",
        nobody=_DECIDES,
    ),
    "currency": Fix(
        "The currencies differ",
        "The record is in another currency than the company there keeps its books in. Correct the currency of the "
        "customer there.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
    "subscription": Fix(
        "The subscription there has ended",
        "Nothing can be written until the subscription is renewed at the provider. Nothing is lost meanwhile.",
        leads=Lead.CONNECTION,
        link="Look at the account",
    ),
    "limits": Fix(
        "A limit of the provider is reached",
        "Shorten what is too long or split the record, or raise the limit of the plan there; then try again.",
        leads=Lead.RECORD,
        link="Open the record",
    ),
}
TITLES = {code: fix.title for code, fix in CODES.items()}


def fix_of(issue: Issue) -> Fix:
    """The fix for exactly what is wrong, else the one for the kind of problem; there is always one."""
    reason = issue.data.get("reason") if isinstance(issue.data, dict) else None
    return REASONS.get(str(reason)) or CODES.get(issue.code, _OTHER)
