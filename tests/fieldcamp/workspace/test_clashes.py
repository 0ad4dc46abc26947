"""What the database alone refuses is said of a field, and no race for a number or a place ends in a 500."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import UniqueConstraint

from fieldcamp.api.errors import as_api_error
from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.admin.money_forms import ItemForm
from fieldcamp.workspace.clashes import as_refusal
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import (
    Client,
    Invoice,
    InvoiceLine,
    Member,
    PaymentAllocation,
    Visit,
)
from fieldcamp.workspace.rest.batch import ClientBatchView
from tests.conftest import api_client
from tests.integrations.admin.conftest import login

LINE = {"description": "Work", "quantity": 1, "unit_price": Decimal(10)}


def unique_of(model) -> set[str]:
    """Names of the model's unique constraints, those of single columns by their column."""
    named = {each.name for each in model._meta.constraints if isinstance(each, UniqueConstraint)}
    return named | {field.column for field in model._meta.local_fields if field.unique and not field.primary_key}


# What input can clash with, and the test below that races for it; what it cannot, and why.
RACED = {"one_invoice_per_number", "one_line_per_position", "one_allocation_per_invoice"}
ELSEWHERE = {
    "one_member_per_login": "logins.accept looks under the login's lock; tests/fieldcamp/workspace/admin/test_logins",
    "one_block_per_meeting": "a sync writes them, with their calendar's lock",
    "one_counter_per_list": "made by readers, over what is there",
    "digest": "of 32 random bytes",
    "member_id": "update_or_create, and the invited or moving member is locked",
}


def test_every_unique_constraint_of_a_record_is_known():
    found = {name: model for model in apps.get_app_config("workspace").get_models() for name in unique_of(model)}
    assert {*found} == RACED | {*ELSEWHERE}, "a new one: race for it below"


@pytest.fixture
def bill(workspace, make_client):
    client = make_client()
    return lambda **fields: invoicing.create_invoice(
        workspace=workspace, client_id=client.pk, lines=[LINE], **{"send": True} | fields
    )


def refusal_of(write) -> tuple:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    error = as_api_error(caught.value)
    return as_refusal(caught.value), error


@pytest.mark.django_db
def test_what_is_taken_is_said_of_its_field(workspace, bill, make_member, make_client):
    invoice, member = bill(number="77"), make_member(user=login("one"))
    payment = paying.record_payment(
        workspace=workspace, client_id=invoice.client_id, amount=Decimal(2),
        allocations=[{"invoice_id": invoice.pk, "amount": Decimal(1)}],
    )  # fmt: skip
    clashes = {
        ("number",): lambda: Invoice.objects.create(
            workspace=workspace, client=invoice.client, number="77", date=invoice.date, lines_digest="x"
        ),
        ("invoice_id", "position"): lambda: InvoiceLine.objects.create(invoice=invoice, position=0, amount=1),
        ("payment_id", "invoice_id"): lambda: PaymentAllocation.objects.create(
            payment=payment, invoice=invoice, amount=1
        ),
        ("user_id",): lambda: Member.objects.create(workspace=workspace, user=member.user, first_name="x"),
    }
    for names, write in clashes.items():
        refusal, error = refusal_of(write)
        assert isinstance(refusal, InvalidFields) and tuple(refusal.details) == names
        assert (error.status, error.code) == (400, "VALIDATION_ERROR")
    assert {*error.details} == {"userId"}


@pytest.mark.django_db
def test_what_nobody_can_cause_is_a_fault(workspace):
    assert refusal_of(lambda: Client.objects.create(workspace=workspace, stage=None)) == (None, None)
    assert as_refusal(IntegrityError("CHECK constraint failed: x")) is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_races_for_a_number_and_for_rows_end_in_answers(workspace, api_key, make_client, bill, in_parallel):
    secret, client = api_key(), make_client()
    new = {"clientId": client.pk, "lines": [{"unitPrice": 10}]}
    path = "/api/v1/invoices"

    def race(call) -> list:
        answers = in_parallel(4, lambda number: call(api_client(secret), number))
        assert {answer.status_code for answer in answers} <= {200, 201, 400}, [a.content for a in answers]
        return answers

    made = race(lambda api, number: api.post(path, new | {"number": "77"}))
    assert sorted(answer.status_code for answer in made) == [201, 400, 400, 400]
    assert all("number" in each.json()["error"]["details"] for each in made if each.status_code == 400)
    drafts = [bill(send=False).pk for _ in range(4)]
    edited = race(lambda api, number: api.patch(f"{path}/{drafts[number]}", {"number": "78"}))
    assert sorted(answer.status_code for answer in edited) == [200, 400, 400, 400]
    numbers = [answer.json()["data"]["number"] for answer in race(lambda api, number: api.post(path, new))]
    assert len({*numbers}) == 4
    lines = [{"description": str(each), "unitPrice": each} for each in range(5)]
    rows = race(lambda api, number: api.patch(f"{path}/{drafts[0]}", {"lines": lines[number:]}))
    assert {answer.status_code for answer in rows} == {200}
    invoice = bill()
    payment = paying.record_payment(workspace=workspace, client_id=invoice.client_id, amount=Decimal(9))
    shares = race(
        lambda api, number: api.patch(
            f"/api/v1/payments/{payment.pk}", {"allocations": [{"invoiceId": invoice.pk, "amount": number + 1}]}
        )
    )
    assert {answer.status_code for answer in shares} == {200}
    # What is referred to and gone shows when the transaction ends.
    refusal, error = refusal_of(lambda: Visit.objects.create(workspace=workspace, client_id="cli_gone", title="x"))
    assert isinstance(refusal, InvalidTransition) and (error.status, error.code) == (409, "INVALID_TRANSITION")


@pytest.mark.django_db
def test_the_desk_says_it_at_the_field(workspace, rf):
    """A number that was taken between the look and the write."""

    class Asked(ItemForm):
        request = rf.get("/")

        def run(self):
            raise IntegrityError("UNIQUE constraint failed: workspace_item.workspace_id, workspace_item.name")

    user = login("o")
    Member.objects.create(workspace=workspace, user=user, first_name="O", role="owner")
    Asked.request.user = user
    form = Asked({"name": "x", "price": "1", "type": "service"})
    assert "Another record has this already" in form.errors["name"][0]


@pytest.mark.django_db
def test_an_item_of_a_batch_is_refused_as_a_call_of_its_own(workspace, api, make_member, monkeypatch):
    """By what the database itself says, which PostgreSQL's driver has beside the text; a repeat is answered alike."""
    member = make_member(user=login("one"))
    clash = lambda **_: Member.objects.create(workspace=workspace, user=member.user, first_name="x")  # noqa: E731
    monkeypatch.setattr(ClientBatchView, "create", staticmethod(clash))
    body = {"items": [{"op": "create", "data": {"firstName": "x"}}]}
    first, again = (api.post("/api/v1/clients/batch", body, HTTP_IDEMPOTENCY_KEY="clash") for _ in range(2))
    [row] = first.json()["data"]
    assert (row["status"], *row["error"]["details"]) == (400, "userId")
    assert again.content == first.content and again["Idempotent-Replayed"] == "true"
