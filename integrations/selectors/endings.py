"""When a vendor's consent ends by the vendor's own word, for accounts that would go on otherwise.

A consent that is renewed by use (a refresh token that lives so long from its last use) comes near its end only where
nothing is synced; one that has a last day comes near it whatever is done.
"""

import datetime as dt
from collections.abc import Iterable

from integrations.models import Connection, ConnectionState, OAuthGrant

SOON = dt.timedelta(days=60)
# Their consent is good until then; what is not connected any more, or needs a person now, has nothing to lose.
LASTING = (ConnectionState.SETUP, ConnectionState.ACTIVE, ConnectionState.PAUSED)


def endings_of(connections: Iterable[Connection], now: dt.datetime) -> dict[str, dt.datetime]:
    """Returns when the consent of those accounts ends whose consent ends soon, by connection; one query at most, and no
    token is read."""
    lasting = [connection.pk for connection in connections if connection.state in LASTING]
    if not lasting:
        return {}
    soon = OAuthGrant.objects.filter(
        connection__in=lasting, refresh_expires_at__gt=now, refresh_expires_at__lte=now + SOON
    )
    return {pk: end for pk, end in soon.values_list("connection_id", "refresh_expires_at") if end}
