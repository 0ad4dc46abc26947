"""Asking whether a company's books are right, from the API and from the desk."""

import structlog
from django_q.tasks import async_task

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.reconciliation.reading import StillReading, finished_reading, read_books
from integrations.reconciliation.report import ReconciliationReport, make_report
from integrations.reconciliation.verdict import keep
from integrations.services.jobs import require_connected
from integrations.services.setup import keeps_books

log = structlog.get_logger(__name__)


def books_of(workspace: Workspace, integration: str) -> Connection:
    """Returns the company whose books are connected. Raises NotConnected."""
    require_connected(workspace, integration)
    usable = Connection.objects.usable().filter(workspace=workspace, integration=integration)
    return usable.select_related("workspace").order_by("connected_at", "pk")[0]


def reconcile_now(connection: Connection, *, first: str | None = None, last: str = "") -> ReconciliationReport:
    """Compares with what the books say now, or said a few minutes ago; keeps the verdict.

    Raises StillReading where the books are too large to be read while somebody waits (a worker reads on meanwhile), and
    any ProviderError. Writes no document on either side.
    """
    assert keeps_books(connection), PROVIDERS[connection.integration].label
    try:
        reading = read_books(connection)
    except StillReading:
        read_on_later(connection)
        raise
    report = make_report(connection, reading=reading, first=first, last=last)
    keep(report)
    return report


def reconcile_known(connection: Connection, *, first: str | None = None, last: str = "") -> ReconciliationReport:
    """Compares without asking the books: with a reading of the last minutes, else with what was last seen."""
    return make_report(connection, reading=finished_reading(connection), first=first, last=last)


def read_on_later(connection: Connection) -> None:
    """Lets a worker read on. Without one, whoever asks next does."""
    try:
        async_task("integrations.jobs.tasks.read_books", connection.pk)
    except Exception:  # a dead queue costs time, never the answer
        log.warning("reading_not_queued", connection_id=connection.pk, exc_info=True)
