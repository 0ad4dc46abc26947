"""Where a person looks at a record in QuickBooks itself."""

from urllib.parse import quote

from django.conf import settings

from integrations.providers.quickbooks.addresses import is_company, is_for_trying_out, is_id

# The company is the one that the person is signed in to.
APP = "https://app.qbo.intuit.com/app"
SANDBOX_APP = "https://app.sandbox.qbo.intuit.com/app"
ADDRESSES = {
    "customer": "customerdetail?nameId={}",
    "item": "items",
    "tax": "salestax",
    "invoice": "invoice?txnId={}",
    "payment": "recvpayment?txnId={}",
}
SIMULATED = {"customer": "customers", "item": "items", "invoice": "invoices", "payment": "payments"}


def page_of(kind: str, remote_id: str, realm_id: str) -> str:
    """Returns the record's page; "" where there is none (a create that has not been answered)."""
    if not (is_company(realm_id) and kind in ADDRESSES and (kind == "tax" or is_id(remote_id))):
        return ""
    sandbox = settings.SANDBOX_URL
    if sandbox and settings.QUICKBOOKS_API_URL.startswith(sandbox):
        tab = SIMULATED.get(kind)
        return f"{sandbox}/intuit/ui/{realm_id}/{tab}/{quote(remote_id, safe='')}" if tab else ""
    app = SANDBOX_APP if is_for_trying_out() else APP
    return f"{app}/{ADDRESSES[kind].format(quote(remote_id, safe=''))}"
