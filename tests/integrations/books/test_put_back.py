"""What a bookkeeper had changed and FieldCamp has written over is told on the record's own page."""

import pytest
from django.urls import reverse

from fieldcamp.workspace.models import AuditEntry
from integrations.ledger.overwritten import rows_apart
from tests.integrations.books.conftest import counts


@pytest.mark.slow
def test_what_was_written_over_there_stands_in_the_clients_history(company, books, sync, make_client, desk):
    client = make_client(first_name="Kim", last_name="Reed", email="kim@reed.test",
                         billing_address={"street": "1 Elm St", "city": "Troy"})  # fmt: skip
    sync(scope="customers")
    there = books.all("Customer")[-1]
    books.edit("Customer", there["Id"], PrimaryEmailAddr={"Address": "books@reed.test"},
               BillAddr={"Line1": "9 Oak St", "City": "Troy"}, FamilyName="Reed-Doe")  # fmt: skip
    client.email, client.billing_address = "desk@reed.test", {"street": "2 Elm St", "city": "Troy"}
    client.save()
    assert counts(sync(scope="customers"))[1] == 1
    page = desk().get(reverse("admin:workspace_client_change", args=[client.pk])).content.decode()
    assert "E-mail “books@reed.test” was replaced by “desk@reed.test”, in the books of" in page
    assert "Billing address “9 Oak St, Troy” was replaced by “2 Elm St, Troy”" in page
    client.refresh_from_db()
    assert client.last_name == "Reed-Doe"  # taken over: no word about that
    [entry] = AuditEntry.objects.filter(action="record.put_back")
    assert set(entry.before) == set(entry.after) == {"email", "bill_address"}
    client.email = "new@reed.test"
    client.save()
    sync(scope="customers")
    assert AuditEntry.objects.filter(action="record.put_back").count() == 1  # an edit of ours alone is none


@pytest.mark.slow
def test_lines_that_were_written_over_stand_in_the_invoices_history(
    company, books, sync, make_client, make_item, make_invoice, desk
):
    client, item = make_client(first_name="Kim", email="kim@reed.test"), make_item(name="Sump check")
    invoice = make_invoice(client, [(item, 2, "50"), (item, 1, "30")])
    sync()
    there = books.one("Invoice", DocNumber=invoice.number)
    customer = books.get("Customer", there["CustomerRef"]["value"])
    books.edit("Customer", customer["Id"], PrimaryEmailAddr={"Address": "kim@doe.test"})
    rows = [row for row in there["Line"] if row.get("Id")]
    rows[0]["Description"] = "Pump, checked twice"
    books.edit("Invoice", there["Id"], Line=rows[:1], DueDate="2027-01-31")
    sync()
    [entry] = AuditEntry.objects.filter(action="record.taken_over")
    assert entry.before == {"lines": "2 × Work, 50; 1 × Work, 30"}
    assert entry.after == {"lines": "2 × Pump, checked twice, 50"}
    at = reverse("admin:workspace_invoice_change", args=[invoice.pk])
    page = desk().get(at).content.decode()
    assert "Lines “2 × Work, 50; 1 × Work, 30” became “2 × Pump, checked twice, 50”, taken over from" in page
    assert "“2027-01-31” added" in page and "in QuickBooks by" in page
    page = desk("staff").get(reverse("admin:workspace_client_change", args=[client.pk])).content.decode()
    assert "“kim@reed.test” became “kim@doe.test” in QuickBooks by" in page
    assert counts(sync("full"))[:2] == (0, 0) and AuditEntry.objects.filter(action="record.taken_over").count() == 1


def test_rows_that_only_one_side_has():
    row = {"quantity": "2", "unit_price": "50", "description": "Pump\nand hose", "item": "7"}
    other = {**row, "quantity": "1"}
    assert rows_apart([row, other], [row]) == ("1 × Pump, 50", "")
    assert rows_apart([row], [row, row, other]) == ("", "2 × Pump, 50; 1 × Pump, 50")
    assert rows_apart([row], [row]) == ("", "")
    assert rows_apart([{"invoice": "8", "amount": "5.00"}], [{"invoice": "8", "amount": "6.00"}]) == ("5.00", "6.00")
    assert len(rows_apart([other] * 90, [])[0]) == 200
