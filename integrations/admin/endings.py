"""What the desk says of a consent that its vendor ends soon."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from fieldcamp import formats
from integrations.accounts.rights import Rights
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.selectors.endings import endings_of
from integrations.selectors.links import connection_url, reconnect_url


@dataclass(frozen=True)
class EndingLine:
    """A line on the dashboard's card and on the account's page; it leads to the new consent whoever may give it."""

    sentence: str
    url: str


def ending_lines(connections: Sequence[Connection], rights: Rights, now: dt.datetime) -> dict[str, EndingLine]:
    """Returns the lines by connection; one query at most."""
    ends = endings_of(connections, now)
    return {
        connection.pk: EndingLine(
            gettext("{provider} ends this access on {day}. Connect the account again before that.").format(
                provider=PROVIDERS[connection.integration].label,
                day=formats.day(ends[connection.pk]),
            ),
            reconnect_url(connection) if rights.may_change(connection) else connection_url(connection.pk),
        )
        for connection in connections
        if connection.pk in ends
    }
