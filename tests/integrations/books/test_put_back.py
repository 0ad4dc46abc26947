"""What a bookkeeper had changed and FieldCamp has written over is told on the record's own page."""

import pytest
from django.urls import reverse

from fieldcamp.workspace.models import AuditEntry
from tests.integrations.books.conftest import counts


@pytest.mark.once
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
