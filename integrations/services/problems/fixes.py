"""What a person does about a problem: a sentence and a button for each code, and for each reason where one is known."""

from django.utils.translation import gettext_lazy as _

from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import INVOICE, PAYMENT
from integrations.models import Problem
from integrations.services.problems.fix_reasons import (
    DECIDES,
    REASONS,
    SAME_MONEY,
    SAME_NUMBER,
    TWO_CUSTOMERS,
    Fix,
    FixTarget,
)

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
            "Put back, what is missing there is made again; left removed, it stays away there. Nothing is deleted in "
            "FieldCamp either way. Until then these records wait, and everything else is synced."
        ),
        nobody=DECIDES,
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
    ProblemCode.CALENDAR_UNAVAILABLE: Fix(
        _("A calendar cannot be used"),
        _(
            "Give the account access again at the provider, or choose another calendar in the account's settings. What "
            "waits for this one is written by the first sync that can, and this closes by itself."
        ),
        leads=FixTarget.CONNECTION,
        link=_("Open the account"),
    ),
    ProblemCode.MEMBER_INACTIVE: Fix(
        _("The person is not active any more"),
        _(
            "Nothing of this account is read or written. Decide what becomes of the visits, of the events that "
            "FieldCamp has made, and of the busy times. If the person comes back, the sync goes on by itself."
        ),
        button="",
        leads=FixTarget.LEAVING,
        link=_("Decide"),
        nobody=DECIDES,
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
        nobody=DECIDES,
    ),
    ProblemCode.RECORD_UNREADABLE: Fix(
        _("FieldCamp cannot read it"),
        _(
            "Both sides keep it as it is, and everything else is synced. Look at the record there; it is read again "
            "when it changes, and with each full sync. If it stays, tell support this record."
        ),
        button="",
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
            "If it is the same money, say so, and delete the second payment there: this closes by itself with the next "
            "sync. If it is another payment, take it in."
        ),
        button="",
    ),
    ProblemCode.EVENT_REMOVED: Fix(
        _("Removed from the calendar"),
        _(
            "The visit is unchanged in FieldCamp. Put its event back if it was removed by mistake, cancel the visit, "
            "or open it and give it to somebody else. Any edit of the visit makes the event again, too."
        ),
        button="",
        leads=FixTarget.RECORD,
        link=_("Open the visit"),
    ),
}
_OTHER = Fix(_("Something needs attention"), _("Look at the sentence above, correct what it names, and try again."))

_SAME: dict[str, Fix] = {INVOICE.name: SAME_NUMBER, PAYMENT.name: SAME_MONEY}
TITLES = {code: fix.title for code, fix in CODES.items()}


def fix_of(problem: Problem) -> Fix:
    """Returns the fix for exactly what is wrong, else the one for the kind of problem; there is always one."""
    reason = problem.data.get("reason") if isinstance(problem.data, dict) else None
    if reason == ProblemReason.MATCH and problem.code == ProblemCode.RECORD_REJECTED and problem.record_kind in _SAME:
        return _SAME[problem.record_kind]
    if problem.code == ProblemCode.POSSIBLE_DUPLICATE and reason == ProblemReason.MERGED_HERE:
        return TWO_CUSTOMERS
    if problem.code == ProblemCode.POSSIBLE_DUPLICATE:
        return CODES[ProblemCode.POSSIBLE_DUPLICATE]
    return REASONS.get(str(reason)) or CODES.get(problem.code, _OTHER)
