"""Why two sides differ, in one word and one sentence. The words are the API's; docs/quickbooks.md explains them."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.reconciliation.documents import HERE, THERE, BooksPair


class Cause(StrEnum):
    REMOVED_THERE = "removed_there"
    VOIDED_THERE = "voided_there"
    MERGED_THERE = "merged_there"
    MOVED_CUSTOMER = "moved_customer"
    CHANGED_THERE = "changed_there"
    REMOVED_HERE = "removed_here"
    VOIDED_HERE = "voided_here"
    CUT = "cut"
    ASKED = "asked"
    REFUSED = "refused"
    WAITING = "waiting"
    NOT_LINKED_HERE = "not_linked_here"
    NOT_LINKED_THERE = "not_linked_there"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    ENTRIES = "entries"
    BALANCE = "balance"
    VARIANCE = "variance"


# {books} is the provider. Each says what is so, and what to do.
SENTENCES: dict[Cause, Any] = {
    Cause.REMOVED_THERE: _(
        "It is not in {books} any more. Post it again, or void it in FieldCamp as well; a sync asks which."
    ),
    Cause.VOIDED_THERE: _("It is void in {books} and not in FieldCamp. A sync takes that over, or asks."),
    Cause.MERGED_THERE: _(
        "Its customer was merged into another in {books}, and the document moved along. Say which customer the client "
        "is now."
    ),
    Cause.MOVED_CUSTOMER: _("It belongs to another customer in {books}. Correct it on the side that is wrong."),
    Cause.CHANGED_THERE: _("It was changed in {books} after the last sync. Sync now, and look again."),
    Cause.REMOVED_HERE: _("It was deleted in FieldCamp and is still in {books}. Delete or void it there as well."),
    Cause.VOIDED_HERE: _("It is void in FieldCamp and not in {books}. Void it there as well; a sync does, if it may."),
    Cause.CUT: _("It is on both sides, but not linked any more, so changes are not passed on. Open it and decide."),
    Cause.ASKED: _("A person has to decide about it. Open the problem and answer it."),
    Cause.REFUSED: _("It was refused. Open the problem: it says what to correct."),
    Cause.WAITING: _("It is still to be synced. Sync now; if it stays, open the record to see what it waits for."),
    Cause.NOT_LINKED_HERE: _(
        "It is in {books} only. Leave it there if it was made by hand for something else; a payment of an invoice of "
        "FieldCamp's comes with the next sync."
    ),
    Cause.NOT_LINKED_THERE: _("It is in FieldCamp only, and nothing is under way. Start a full sync, which posts it."),
    Cause.DUPLICATE: _(
        "It looks like one that is linked already: the same is in {books} twice. Delete the one too many there."
    ),
    Cause.UNREADABLE: _(
        "It holds something in {books} that FieldCamp cannot read, so nobody knows whether the two are the same. Look "
        "at it there; if it stays, tell support this document."
    ),
    Cause.ENTRIES: _(
        "{books} has other entries on this customer's account, such as journal entries, so that the customer owes "
        "something else there than the documents come to. Correct them there, or say that it is meant so."
    ),
    Cause.BALANCE: _(
        "{books} says that this customer owes something else than all that FieldCamp can see there comes to. Ask "
        "{books} again; if it stays, compare the customer's list of transactions there, or say that it is meant so."
    ),
    Cause.VARIANCE: _(
        "Both sides say something else, although nothing waits. Compare the two and correct the one that is wrong."
    ),
}
LABELS: dict[Cause, Any] = {
    Cause.REMOVED_THERE: _("Removed there"),
    Cause.VOIDED_THERE: _("Void there"),
    Cause.MERGED_THERE: _("Customer merged there"),
    Cause.MOVED_CUSTOMER: _("Another customer there"),
    Cause.CHANGED_THERE: _("Changed there"),
    Cause.REMOVED_HERE: _("Deleted here"),
    Cause.VOIDED_HERE: _("Void here"),
    Cause.CUT: _("Not linked any more"),
    Cause.ASKED: _("Waits for an answer"),
    Cause.REFUSED: _("Refused"),
    Cause.WAITING: _("To be synced"),
    Cause.NOT_LINKED_HERE: _("Only there"),
    Cause.NOT_LINKED_THERE: _("Only here"),
    Cause.DUPLICATE: _("Twice there"),
    Cause.UNREADABLE: _("Cannot be read"),
    Cause.ENTRIES: _("Other entries there"),
    Cause.BALANCE: _("Balance not explained"),
    Cause.VARIANCE: _("Differs"),
}
CUSTOMER_FIELD = "customer"


def cause_of(pair: BooksPair, fields: Collection[str]) -> Cause:
    """Returns why the two sides of the pair differ; `fields` are what differs where both have it.

    What somebody did to one of the two comes before what the sync will make of it: a void is a void, also while it
    waits.
    """
    here, there = pair.side(HERE), pair.side(THERE)
    if pair.unreadable:
        return Cause.UNREADABLE
    if here and there:
        return _of_both(pair, fields)
    if here:
        return _only_here(pair)
    return _only_there(pair)


def _only_here(pair: BooksPair) -> Cause:
    if pair.there is not None:
        return Cause.VOIDED_THERE
    if pair.linked or pair.cut:
        return Cause.REMOVED_THERE
    if pair.asked or pair.refused:
        return Cause.ASKED if pair.asked else Cause.REFUSED
    return Cause.WAITING if pair.waiting else Cause.NOT_LINKED_THERE


def _only_there(pair: BooksPair) -> Cause:
    if pair.here is not None:
        return Cause.VOIDED_HERE
    if pair.record_id:
        return Cause.REMOVED_HERE
    return Cause.DUPLICATE if pair.duplicates else Cause.NOT_LINKED_HERE


def _of_both(pair: BooksPair, fields: Collection[str]) -> Cause:
    if pair.cut:
        return Cause.CUT
    if CUSTOMER_FIELD in fields and pair.customer_gone:
        return Cause.MERGED_THERE
    if pair.asked or pair.refused:
        return Cause.ASKED if pair.asked else Cause.REFUSED
    if pair.waiting:
        return Cause.WAITING
    if CUSTOMER_FIELD in fields:
        return Cause.MOVED_CUSTOMER
    return Cause.CHANGED_THERE if pair.unread else Cause.VARIANCE
