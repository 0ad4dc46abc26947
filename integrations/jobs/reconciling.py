"""Comparing companies' books in the background: each night, and for reports about large books."""

import datetime as dt

import structlog

from integrations.errors import ProviderError
from integrations.kinds import INVOICE
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.reconciliation.reading import StillReading, read_books
from integrations.reconciliation.verdict import NIGHT_SECONDS, reconcile_tonight

log = structlog.get_logger(__name__)

MOST_TURNS = 30  # of a minute each: no books take longer


def due() -> list[str]:
    """Returns the ids of the connections whose books are compared each night."""
    books = [name for name, provider in PROVIDERS.items() if INVOICE.name in provider.kinds]
    return list(Connection.objects.usable().filter(integration__in=books).order_by("pk").values_list("pk", flat=True))


def reconcile(connection_id: str, now: dt.datetime) -> bool:
    """Makes the nightly verdict; false where it has to be gone on with."""
    connection = Connection.objects.usable().select_related("workspace").filter(pk=connection_id).first()
    return connection is None or reconcile_tonight(connection, now)


def read_on(connection_id: str) -> bool:
    """Reads on in a company's books; false where that has to be gone on with. What the provider refuses is told to
    whoever asks next."""
    connection = Connection.objects.usable().select_related("workspace").filter(pk=connection_id).first()
    if connection is None:
        return True
    try:
        read_books(connection, seconds=NIGHT_SECONDS)
    except StillReading:
        return False
    except ProviderError as error:
        log.info("books_not_read", connection_id=connection_id, reason=type(error).__name__)
    return True
