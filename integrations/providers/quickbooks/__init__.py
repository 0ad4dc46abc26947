"""QuickBooks Online: customers, items, taxes, invoices and payments are kept the same on both sides."""

from django.conf import settings

from integrations.providers.base import Provider
from integrations.providers.quickbooks.addresses import shown
from integrations.providers.quickbooks.api import QuickBooksClient, make_id
from integrations.providers.quickbooks.changes import CHANGES
from integrations.providers.quickbooks.disclosure import DISCLOSURE
from integrations.providers.quickbooks.errors import explain, trace_of
from integrations.providers.quickbooks.mapping import kept
from integrations.providers.quickbooks.oauth import INTUIT, hosts, identify
from integrations.providers.quickbooks.pages import page_of
from integrations.providers.quickbooks.push import PUSH
from integrations.providers.quickbooks.writing import BATCH_SIZE

QUICKBOOKS = Provider(
    name="quickbooks",
    slug="quickbooks",
    label="QuickBooks",
    remote_id_name="quickbooks_id",
    kinds=("customer", "item", "tax", "invoice", "payment"),
    batch_size=BATCH_SIZE,
    authentication=INTUIT,
    hosts=hosts,
    open=QuickBooksClient,
    explain=explain,
    identify=identify,
    make_id=make_id,
    kept=kept,
    requests_per_minute=settings.QUICKBOOKS_REQUESTS_PER_MINUTE,
    requests_per_second=10,
    disclosure=DISCLOSURE,
    status_page="https://status.quickbooks.intuit.com/",
    changes=CHANGES,
    trace=trace_of,
    trace_name="intuit_tid",
    support="Intuit",
    meters_reads=True,
    metered_reads_per_day=settings.QUICKBOOKS_METERED_READS_PER_DAY,
    page_of=page_of,
    push=PUSH,
    account_parameter="realmId",
    shown_address=shown,
    sync_scopes=("all", "customers", "items", "invoices", "payments", "taxes"),
)
