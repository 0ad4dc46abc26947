"""The calls behind records of the books: also those of lists that had it first, and none once the person is erased."""

import pytest

from fieldcamp.workspace.models import Client
from integrations.models import RecordCall
from integrations.selectors.calls import calls_of
from integrations.selectors.provenance import fields_of
from integrations.services.erasure import erase_client
from tests.sandboxed import COMPANY


@pytest.mark.slow
def test_a_customer_that_came_in_and_an_invoice_that_went(company, connect_books, books, sync, intuit, make_invoice):
    books.add("Customer", DisplayName="Quill Reed", GivenName="Quill", FamilyName="Reed")
    connect_books(default_item_id=company.books.default_item_id, import_customers=True)
    first = sync()
    client = Client.objects.get(last_name="Reed")
    [listed] = calls_of(client, 50)
    assert (listed.purpose, listed.job, listed.record_id) == ("list", first.pk, "") and listed.path.endswith("/query")
    source = {row["field"]: row for row in fields_of(client)}["lastName"]
    assert (source["setBy"]["kind"], source["jobId"], source["integration"]) == ("sync", first.pk, "quickbooks")
    invoice = make_invoice(client, [(None, 1, "120.00")], memo="Key: hunter2secret")
    intuit.fault("status", path="/invoice$", status=503, times=1)
    second = sync()
    lost, made = calls_of(invoice, 50)[::-1]
    assert [(row.status, row.job, row.purpose) for row in (lost, made)] == [
        ("503", second.pk, "create"),
        ("200", second.pk, "create"),
    ]
    assert made.trace and made.request["number"] == invoice.number and made.response["total"] == "120.00"
    kept = str([vars(row) for row in RecordCall.objects.all()])
    assert COMPANY not in kept and "hunter2secret" not in kept
    # One answer tells of all kinds, whichever of them is read first.
    books.edit("Invoice", made.remote_id, CustomerMemo={"value": "Thank you"})
    third = sync()
    told = calls_of(invoice, 1)[0]
    assert (told.purpose, told.job, told.response["memo"]) == ("list", third.pk, "Thank you")
    assert told.path.endswith("/cdc")
    # The client's own page never has the invoice's.
    assert all(row.kind == "customer" for row in calls_of(client, 50))
    erase_client(client, actor="test")
    assert calls_of(client, 50) == calls_of(invoice, 50) == []
    assert "Quill" not in str([vars(row) for row in RecordCall.objects.all()])


@pytest.mark.slow
def test_a_refusal_is_kept_in_its_own_words(company, books, sync, make_client):
    books.add("Vendor", DisplayName="Kim Reed")
    client = make_client(first_name="Kim", last_name="Reed")
    sync()
    refused = [call for call in calls_of(client, 50) if call.error]
    assert refused and refused[0].error["code"] == "RECORD_REJECTED" and refused[0].error["message"]
