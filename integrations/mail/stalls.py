"""The mail about accounts whose data is older than it should be: one to a company, however many there are."""

from collections.abc import Sequence
from itertools import groupby

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fieldcamp.workspace.notices import STALLED, addresses_for
from integrations.mail.chat import say
from integrations.mail.send import send_mail
from integrations.providers import PROVIDERS
from integrations.selectors.links import connection_url, dashboard_url
from integrations.selectors.stalls import Stall

MOST_NAMED = 20


def tell(stalls: Sequence[Stall]) -> None:
    """Mails owners and admins, of a single account its person too: which accounts are behind, since when, why, and what
    helps. The accounts are of one company. OSError if it cannot be sent."""
    first = stalls[0].connection
    alone = len(stalls) == 1
    to = addresses_for(first.workspace_id, STALLED, first.member if alone else None)
    label = PROVIDERS[first.integration].label
    if alone:
        subject = _("{integration} of {account} is not up to date").format(
            integration=label, account=first.account_name
        )
    else:
        subject = ngettext(
            "{number} account is not up to date", "{number} accounts are not up to date", len(stalls)
        ).format(number=len(stalls))
    # By vendor and cause, those that are behind for the longest first.
    ordered = sorted(stalls, key=lambda stall: (stall.connection.integration, stall.sentence, stall.since))
    groups = [
        (PROVIDERS[integration].label, sentence, list(members))
        for (integration, sentence), members in groupby(
            ordered, key=lambda stall: (stall.connection.integration, stall.sentence)
        )
    ]
    url = connection_url(first.pk) if alone else dashboard_url()
    context = {
        "groups": [(label, sentence, members[:MOST_NAMED], len(members)) for label, sentence, members in groups],
        "most": MOST_NAMED,
        "url": url,
        "alone": alone,
        "support_reference": first.pk if alone else "",
    }
    if to:
        send_mail("stalled", to=to, subject=subject, workspace=first.workspace, context=context)
    say(first.workspace_id, STALLED, subject, url)


def tell_operators(number: int) -> None:
    """Mails `OPERATOR_EMAIL` that no worker works; where none is set the log has it alone."""
    if settings.OPERATOR_EMAIL:
        send_mail(
            "stalled_operators",
            to=[settings.OPERATOR_EMAIL],
            subject=_("No worker runs: nothing is synced"),
            workspace=None,
            context={"number": number},
        )
