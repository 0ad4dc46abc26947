"""Where people see and repair what the sync speaks of: absolute addresses of the desk's pages."""

from fieldcamp.links import absolute
from integrations.kinds import CUSTOMER, VISIT
from integrations.models import Connection, Link
from integrations.providers import PROVIDERS


def dashboard_url() -> str:
    return absolute("admin:index")


def connect_url(integration: str) -> str:
    """Returns where an account of this integration is connected."""
    return absolute("integrations:connect", PROVIDERS[integration].slug)


def reconnect_url(connection: Connection) -> str:
    """Returns where this very account is connected again."""
    return absolute("integrations:connect", PROVIDERS[connection.integration].slug, connection=connection.pk)


def setup_url(connection_id: str) -> str:
    return absolute("integrations:setup", connection_id)


def connection_url(connection_id: str) -> str:
    return absolute("admin:integrations_connection_change", connection_id)


def job_url(job_id: str) -> str:
    return absolute("admin:integrations_syncjob_change", job_id)


def visit_url(visit_id: str) -> str:
    return absolute("admin:workspace_visit_change", visit_id)


def problem_url(problem_id: str) -> str:
    return absolute("admin:integrations_problem_change", problem_id)


def record_url(kind: str, record_id: str) -> str:
    """Returns the page of an invoice, a payment or (of a customer) a client of FieldCamp."""
    return absolute(f"admin:workspace_{'client' if kind == CUSTOMER.name else kind}_change", record_id)


def reconciliation_url(connection_id: str) -> str:
    """Returns where both sides' documents are compared."""
    return absolute("integrations:reconciliation", connection_id)


def leaving_url(connection_id: str) -> str:
    """Returns where it is decided what becomes of the account of a person who has left."""
    return absolute("integrations:leaving", connection_id)


def mapping_url(connection_id: str) -> str:
    """Returns where it is said what stands for what in the company's books."""
    return absolute("integrations:mapping", connection_id)


def remote_url(link: Link) -> str:
    """Returns the counterpart's page at the provider, where it is and has one, else ""; the link's stream and
    connection are at hand."""
    connection = link.stream.connection
    provider = PROVIDERS.get(connection.integration)
    if provider is None or not link.is_present:
        return ""
    if provider.event_page is not None and link.kind == VISIT.name:
        return provider.event_page(link.stream.container_id, link.remote_id, connection.account_name)
    return (
        "" if provider.page_of is None else provider.page_of(link.kind, link.remote_id, connection.readable_account_id)
    )
