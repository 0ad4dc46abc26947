"""Where a person looks at a record in QuickBooks itself."""

import pytest

from integrations.providers.quickbooks.pages import page_of


@pytest.mark.parametrize(
    ("api", "app"),
    [
        ("https://quickbooks.api.intuit.com", "https://app.qbo.intuit.com"),
        ("https://sandbox-quickbooks.api.intuit.com", "https://app.sandbox.qbo.intuit.com"),
        ("https://proxy.example/sandbox-quickbooks.api.intuit.com", "https://app.qbo.intuit.com"),
    ],
)
def test_a_company_for_trying_out_has_its_own_host(settings, api, app):
    settings.QUICKBOOKS_API_URL, settings.SANDBOX_URL = api, ""
    assert page_of("invoice", "130", "9130001") == f"{app}/app/invoice?txnId=130"


def test_no_page_for_what_has_no_id_there(settings):
    settings.SANDBOX_URL = ""
    assert page_of("invoice", "0123456789abcdef0123456789abcdef", "9130001") == ""
    assert page_of("visit", "130", "9130001") == page_of("invoice", "130", "../1") == ""
