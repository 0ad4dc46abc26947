"""What a copy of the database and the logs tell of a company that is connected and synced: neither its id nor a token.

Intuit asks for both to be encrypted: https://developer.intuit.com/app/developer/qbo/docs/go-live/publish-app/security-requirements
"""

import pytest
from django.db import connection as database
from structlog.testing import capture_logs

from fieldcamp.texts import masked
from integrations.models import Connection, JobCall, Link, OAuthGrant, RecordCall
from integrations.services.books.setup import refresh_company
from tests.sandboxed import COMPANY


def dump() -> dict[str, str]:
    """Every table's rows, as text."""
    with database.cursor() as cursor:
        found = {}
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            found[table] = "\n".join(map(repr, cursor.fetchall()))
    return found


def tables_with(text: str) -> list[str]:
    return [table for table, rows in dump().items() if text in rows]


@pytest.mark.slow
def test_neither_its_id_nor_a_token_is_kept_or_logged_in_clear(company, sync, make_client, make_invoice, desk):
    make_invoice(make_client(last_name="Reed"), [(None, 1, "120.00")])
    with capture_logs() as logs:
        job = sync()
        refresh_company(company)
    assert job.status == "succeeded" and Link.objects.live().linked().filter(kind="invoice").exists()
    browser = desk()
    assert masked(COMPANY) in browser.get(f"/admin/integrations/connection/{company.pk}/change/").content.decode()
    browser.get(f"/admin/integrations/syncjob/{job.pk}/change/")

    calls = {JobCall._meta.db_table, RecordCall._meta.db_table}  # addresses, with the id masked
    assert tables_with("Reed") and {*tables_with(masked(COMPANY))} == calls
    assert tables_with(COMPANY) == []
    calls = [line for line in logs if line["event"] == "provider_call" and "/v3/company/" in line["url"]]
    assert calls and COMPANY not in str(logs)

    grant = OAuthGrant.objects.get()
    for token in (grant.access_token, grant.refresh_token, grant.answer):
        assert len(token) > 20 and tables_with(token) == []
    assert Connection.objects.for_account("quickbooks", COMPANY).get() == company
    assert company.account_id == COMPANY
