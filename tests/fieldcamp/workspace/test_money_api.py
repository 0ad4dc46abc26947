"""`/items`, `/taxes`, `/invoices` and `/payments`, seen from outside."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Change, Invoice, Workspace
from fieldcamp.workspace.models.invoices import today_in
from tests.conftest import api_client
from tests.fieldcamp.workspace.test_visits_api import data, details

pytestmark = pytest.mark.django_db

BAD_NUMBERS = [True, "", "x", " 1", "1e3", "1_000", "٣", "0x1", [], {}, "NaN", "-1", -1, 1e300, "9" * 30, 10**40]


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def post(api):
    return lambda path, body=None, status=201: data(api.post(f"/api/v1/{path}", body or {}), status)


@pytest.fixture
def bill(post, client):
    """Makes an invoice of 100.00 over one line, sent unless told otherwise."""

    def make(*, send: bool = True, **body) -> dict:
        line = {"description": "Repair", "unitPrice": 100}
        made = post("invoices", {"clientId": client.pk, "lines": [line], **body})
        return post(f"invoices/{made['id']}/send", status=200) if send else made

    return make


@pytest.fixture
def pay(post, client):
    def make(amount, *shares, **body) -> dict:
        allocations = [{"invoiceId": invoice["id"], "amount": share} for invoice, share in shares]
        return post("payments", {"clientId": client.pk, "amount": amount, "allocations": allocations, **body})

    return make


@pytest.fixture
def read(api):
    return lambda path, record: data(api.get(f"/api/v1/{path}/{record['id']}"))


class TestItems:
    def test_everything_comes_back(self, api, post, read):
        body = {
            "name": "Pipe", "description": "Copper", "price": 12.3456789, "sku": "P-1", "type": "product",
            "taxable": False, "isActive": False,
        }  # fmt: skip
        item = post("items", body | {"price": "12.3456789"})
        assert {name: item[name] for name in body} == body and item["id"].startswith("itm_")
        assert list(item) == ["id", *body, "createdAt", "updatedAt"] and read("items", item) == item
        assert data(api.get("/api/v1/items", {"search": "p-1"})) == [item]
        assert data(api.get("/api/v1/items", {"search": "elbow"})) == []

    @pytest.mark.parametrize(
        ("sent", "raw"), [(299, b"299"), ("299.00", b"299"), (0.1, b"0.1"), ("26.80", b"26.8"), (99999999, b"99999999")]
    )
    def test_prices_are_exact_numbers(self, api, sent, raw):
        response = api.post("/api/v1/items", {"name": "x", "price": sent})
        assert b'"price":' + raw + b"," in response.content

    @pytest.mark.parametrize("price", [*BAD_NUMBERS, "1.12345678", 0.00000001])
    def test_prices_that_are_none(self, api, price):
        assert list(details(api.post("/api/v1/items", {"name": "x", "price": price}))) == ["price"]

    @pytest.mark.parametrize("body", [b'{"name":"x","price":NaN}', b'{"name":"x","price":1e999}'])
    def test_numbers_that_are_none(self, api, body):
        details(api.post("/api/v1/items", body, content_type="application/json"))

    @pytest.mark.parametrize(
        "body", [{"type": "Service"}, {"taxable": "true"}, {"taxable": 1}, {"name": " "}, {"cost": 1}, {"id": "itm_x"}]
    )
    def test_bad_fields(self, api, body):
        assert list(details(api.post("/api/v1/items", {"name": "x"} | body))) == list(body)

    def test_change_and_delete(self, api, post):
        item = post("items", {"name": "Pipe", "price": 5})
        path = f"/api/v1/items/{item['id']}"
        etag = api.get(path)["ETag"]
        assert data(api.patch(path, {"price": 6}, HTTP_IF_MATCH=etag))["price"] == 6
        details(api.patch(path, {"price": 7}, HTTP_IF_MATCH=etag), 412, "PRECONDITION_FAILED")
        assert data(api.put(path, {"name": "Pipe"}))["price"] == 0
        assert data(api.delete(path)) == {"id": item["id"], "deleted": True}
        details(api.get(path), 404, "NOT_FOUND")


class TestTaxes:
    def test_components_are_summed(self, api, post):
        parts = [{"name": "State", "rate": 0.0725}, {"name": "County", "rate": 0.0075}]
        tax = post("taxes", {"name": "California", "components": parts})
        assert (tax["rate"], tax["components"]) == (0.08, parts)
        path = f"/api/v1/taxes/{tax['id']}"
        assert list(details(api.patch(path, {"rate": 0.09}))) == ["rate"]
        assert data(api.patch(path, {"rate": 0.09, "components": []}))["rate"] == 0.09

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"rate": 8},
            {"rate": -0.01},
            {"rate": "0.0000001"},
            {"rate": None},
            {"components": [{"name": "a", "rate": 0.6}, {"name": "b", "rate": 0.6}]},
        ],
    )
    def test_rates_that_are_none(self, api, body):
        assert list(details(api.post("/api/v1/taxes", {"name": "x", **body}))) == ["rate"]

    def test_a_component_is_whole_in_a_patch_too(self, api, post):
        tax = post("taxes", {"name": "x", "rate": 0.08})
        wrong = details(api.patch(f"/api/v1/taxes/{tax['id']}", {"components": [{"rate": 0.08}]}))
        assert [name for name in wrong if name.startswith("components")]


class TestInvoices:
    def test_totals(self, post, client, read):
        tax = post("taxes", {"name": "CA", "rate": 0.08})
        item = post("items", {"name": "Drain", "description": "Main line", "price": "111.75"})
        lines = [{"itemId": item["id"], "quantity": 3}, {"description": "Tip", "unitPrice": 10, "taxable": False}]
        body = {"clientId": client.pk, "lines": lines, "taxRateId": tax["id"], "date": "2026-11-01", "memo": "Thanks"}
        invoice = post("invoices", body)
        line = {"description": "Main line", "quantity": 3, "unitPrice": 111.75, "taxable": True, "amount": 335.25}
        assert invoice["lines"][0] == {"itemId": item["id"], **line}
        named = ("subtotal", "discountTotal", "taxTotal", "total", "paid", "balance")
        assert [invoice[name] for name in named] == [345.25, 0, 26.82, 372.07, 0, 372.07]
        assert (invoice["number"], invoice["status"], invoice["deliveryStatus"]) == ("1001", "unpaid", "draft")
        assert read("invoices", invoice) == invoice

    def test_numbers_go_on_from_the_highest(self, bill):
        assert [bill()["number"], bill(number="2000")["number"], bill()["number"]] == ["1001", "2000", "2001"]
        assert [bill(number="INV-7")["number"], bill()["number"]] == ["INV-7", "2002"]

    def test_a_number_is_given_once(self, api, bill, client):
        draft = bill(number="7", send=False)
        api.delete(f"/api/v1/invoices/{draft['id']}")
        body = {"clientId": client.pk, "lines": [], "number": "7"}
        assert list(details(api.post("/api/v1/invoices", body))) == ["number"]
        assert list(details(api.post("/api/v1/invoices", body | {"number": "x" * 22}))) == ["number"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"clientId": "cli_nope"}, "clientId"),
            ({"taxRateId": "tax_nope"}, "taxRateId"),
            ({"lines": [{"itemId": "itm_nope"}]}, "lines.0.itemId"),
            ({"lines": [{"unitPrice": -5}]}, "lines"),
            ({"lines": [{"quantity": 9999999999, "unitPrice": 99999999}]}, "lines"),
            ({"lines": "x"}, "lines"),
            ({"discountPercent": 5, "discountAmount": 5}, "discountAmount"),
            ({"discountAmount": 101}, "discountAmount"),
            ({"discountPercent": 101}, "discountPercent"),
            ({"date": "2026-02-30"}, "date"),
            ({"date": "20260101"}, "date"),
            ({"date": "0001-01-01"}, "date"),
            ({"date": "2026-02-02", "dueDate": "2026-02-01"}, "dueDate"),
            ({"total": 5}, "total"),
            ({"status": "paid"}, "status"),
        ],
    )
    def test_what_is_refused(self, api, client, body, field):
        body = {"clientId": client.pk, "lines": [{"unitPrice": 100}], **body}
        assert list(details(api.post("/api/v1/invoices", body))) == [field]
        assert not Invoice.objects.exists()

    @pytest.mark.parametrize("name", ["quantity", "unitPrice"])
    @pytest.mark.parametrize("number", [value for value in BAD_NUMBERS if value not in (-1, "-1")])
    def test_numbers_that_are_none(self, api, client, name, number):
        body = {"clientId": client.pk, "lines": [{name: number}]}
        assert details(api.post("/api/v1/invoices", body))

    def test_a_change_of_lines_moves_the_version_once(self, api, bill):
        invoice = bill()
        path, before = f"/api/v1/invoices/{invoice['id']}", Invoice.objects.get().version
        lines = [{"description": "Repair", "quantity": 1, "unitPrice": "100.00", "taxable": True}]
        assert data(api.patch(path, {"lines": lines})) == invoice
        assert Invoice.objects.get().version == before
        assert data(api.patch(path, {"lines": [*lines, {"unitPrice": 0}]}))["total"] == 100
        assert Invoice.objects.get().version == before + 1
        assert "lines_digest" in Change.objects.latest("seq").after

    def test_one_discount_takes_the_others_place(self, api, bill):
        path = f"/api/v1/invoices/{bill(discountPercent=10)['id']}"
        after = data(api.patch(path, {"discountAmount": 5}))
        assert (after["discountPercent"], after["discountAmount"], after["total"]) == (None, 5, 95)

    def test_sent_needs_lines_and_stays_sent(self, api, bill):
        empty = bill(lines=[], send=False)
        assert list(details(api.post(f"/api/v1/invoices/{empty['id']}/send"))) == ["lines"]
        sent = bill()
        assert data(api.post(f"/api/v1/invoices/{sent['id']}/send")) == sent
        assert list(details(api.patch(f"/api/v1/invoices/{sent['id']}", {"lines": []}))) == ["lines"]
        assert list(details(api.post(f"/api/v1/invoices/{sent['id']}/send", {"x": 1}))) == ["x"]

    def test_void(self, api, bill, pay, post):
        draft, invoice = bill(send=False), bill()
        path = f"/api/v1/invoices/{invoice['id']}"
        details(api.post(f"/api/v1/invoices/{draft['id']}/void"), 409, "INVALID_TRANSITION")
        payment = pay(40, (invoice, 40))
        refused = api.post(f"{path}/void", {"reason": "Twice"})
        assert details(refused, 409, "INVALID_TRANSITION") == {}
        assert "Payments are recorded" in refused.json()["error"]["message"]
        post(f"payments/{payment['id']}/void", status=200)
        void = post(f"invoices/{invoice['id']}/void", {"reason": "Twice"}, 200)
        assert (void["voidReason"], void["balance"], void["status"]) == ("Twice", 0, "void") and void["voidedAt"]
        assert data(api.get("/api/v1/invoices", {"status": ["unpaid", "paid", "partial", "overdue"]})) == [draft]
        details(api.patch(path, {"dueDate": "2030-01-01"}), 409, "INVALID_TRANSITION")
        assert data(api.patch(path, {"memo": "Sorry"}))["memo"] == "Sorry"

    def test_only_drafts_are_deleted(self, api, bill):
        details(api.delete(f"/api/v1/invoices/{bill()['id']}"), 409, "INVALID_TRANSITION")
        assert data(api.delete(f"/api/v1/invoices/{bill(send=False)['id']}"))["deleted"] is True

    @pytest.mark.slow
    def test_every_status_is_found_by_its_filter(self, api, bill, pay, read):
        past = (today_in(Workspace.objects.get()) - dt.timedelta(days=1)).isoformat()
        rows = [bill(send=False), bill(), bill(), bill(), bill(dueDate=past, date=past), bill(dueDate=past, date=past)]
        for row, amount in ((rows[2], 30), (rows[3], 100), (rows[5], 30)):
            pay(amount, (row, amount))
        shown = [read("invoices", row) for row in rows]
        assert [row["status"] for row in shown] == ["unpaid", "unpaid", "partial", "paid", "overdue", "overdue"]
        for status in ("unpaid", "partial", "paid", "overdue"):
            found = {row["id"] for row in data(api.get("/api/v1/invoices", {"status": status}))}
            assert found == {row["id"] for row in shown if row["status"] == status}, status
        assert list(details(api.get("/api/v1/invoices", {"status": "draft"}))) == ["status"]


class TestPayments:
    def test_everything_comes_back(self, bill, pay, read):
        invoice = bill()
        payment = pay(120, (invoice, "100.00"), date="2026-11-02", method="check", reference="2217", notes="Thanks")
        assert payment["allocations"] == [{"invoiceId": invoice["id"], "amount": 100}]
        assert (payment["amount"], payment["unapplied"], payment["madeIn"]) == (120, 20, None)
        assert read("payments", payment) == payment
        after = read("invoices", invoice)
        assert (after["paid"], after["balance"], after["status"]) == (100, 0, "paid")
        assert Change.objects.filter(kind="invoice").latest("seq").after == {"settlement": "paid"}

    @pytest.mark.parametrize("amount", [*BAD_NUMBERS, 0, "0.00", 1.005, None])
    def test_amounts_that_are_none(self, api, client, amount):
        assert list(details(api.post("/api/v1/payments", {"clientId": client.pk, "amount": amount}))) == ["amount"]

    @pytest.mark.slow
    def test_what_cannot_be_paid(self, api, bill, client, make_client, post):
        sent, draft, other = bill(), bill(send=False), bill(clientId=make_client().pk)
        void = bill()
        post(f"invoices/{void['id']}/void", status=200)
        for invoice, amount in ((sent, 101), (sent, 0), (draft, 5), (other, 5), (void, 5), ({"id": "inv_nope"}, 5)):
            share = {"invoiceId": invoice["id"], "amount": amount}
            response = api.post("/api/v1/payments", {"clientId": client.pk, "amount": 500, "allocations": [share]})
            assert list(details(response)) == ["allocations.0"]
        share = {"invoiceId": sent["id"], "amount": 50}
        for amount, shares in ((40, [share]), (500, [share, share])):
            body = {"clientId": client.pk, "amount": amount, "allocations": shares}
            assert list(details(api.post("/api/v1/payments", body))) == ["allocations"]

    def test_moved_to_another_invoice(self, api, bill, pay, read):
        one, two = bill(), bill()
        payment = pay(100, (one, 100))
        path = f"/api/v1/payments/{payment['id']}"
        moved = data(api.patch(path, {"allocations": [{"invoiceId": two["id"], "amount": 60}]}))
        assert moved["unapplied"] == 40
        assert [read("invoices", row)["paid"] for row in (one, two)] == [0, 60]
        assert data(api.patch(path, {"notes": "x"}))["allocations"] == moved["allocations"]
        assert set(details(api.patch(path, {"amount": 50}))) == {"allocations"}

    def test_void_opens_the_invoices_again(self, api, bill, pay, post, read):
        invoice = bill()
        payment = pay(100, (invoice, 100))
        details(api.patch(f"/api/v1/invoices/{invoice['id']}", {"number": "9"}), 409, "INVALID_TRANSITION")
        void = post(f"payments/{payment['id']}/void", status=200)
        assert void["voidedAt"] and read("invoices", invoice)["status"] == "unpaid"
        assert data(api.post(f"/api/v1/payments/{payment['id']}/void")) == void
        details(api.patch(f"/api/v1/payments/{payment['id']}", {"amount": 5}), 409, "INVALID_TRANSITION")
        assert api.delete(f"/api/v1/payments/{payment['id']}").status_code == 405

    def test_filters(self, api, bill, pay, make_client):
        one, two = bill(), bill()
        first, second = pay(10, (one, 10)), pay(10, (two, 5), (one, 5))
        ids = lambda **query: [row["id"] for row in data(api.get("/api/v1/payments", query))]  # noqa: E731
        assert ids(invoiceId=two["id"]) == [second["id"]]
        assert ids(invoiceId=one["id"]) == [first["id"], second["id"]]
        assert ids(clientId=make_client().pk) == []
        later = (timezone.now() + dt.timedelta(hours=1)).isoformat()
        assert ids(since=later) == [] and list(details(api.get("/api/v1/payments", {"since": "x"}))) == ["since"]


@pytest.mark.slow
@pytest.mark.parametrize("resource", ["items", "taxes", "invoices", "payments"])
def test_scopes(api_key, resource):
    reader = api_client(api_key(scopes=[f"{resource}:read"]))
    assert data(reader.get(f"/api/v1/{resource}")) == []
    details(reader.post(f"/api/v1/{resource}", {}), 403, "INSUFFICIENT_SCOPE")
    unmatched = api_client(api_key(scopes=["visits:read", f"{resource}:write"]))
    details(unmatched.get(f"/api/v1/{resource}"), 403, "INSUFFICIENT_SCOPE")


def test_once_for_an_idempotency_key(api, bill, client):
    invoice = bill()
    body = {"clientId": client.pk, "amount": 60, "allocations": [{"invoiceId": invoice["id"], "amount": 60}]}
    answers = [api.post("/api/v1/payments", body, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json() and answers[1]["Idempotent-Replayed"] == "true"
    assert answers[0]["Location"].endswith(answers[0].json()["data"]["id"])
    assert Invoice.objects.get().paid == 60


@pytest.mark.slow
def test_lists_take_a_constant_number_of_queries(api, bill, pay, django_assert_num_queries, call_queries):
    for _ in range(3):
        pay(10, (bill(), 10))
    for path in ("invoices", "payments"):
        api.get(f"/api/v1/{path}")
        with django_assert_num_queries(call_queries + 3):
            assert len(data(api.get(f"/api/v1/{path}"))) == 3


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_payments_at_once_never_overpay(api_key, bill, client, in_parallel):
    invoice, secret = bill(), api_key()
    body = {"clientId": client.pk, "amount": 40, "allocations": [{"invoiceId": invoice["id"], "amount": 40}]}
    codes = in_parallel(5, lambda n: api_client(secret).post("/api/v1/payments", body).status_code)
    assert sorted(codes) == [201, 201, 400, 400, 400]
    assert Invoice.objects.get().paid == 80


@pytest.mark.django_db(transaction=True)
def test_invoices_at_once_have_numbers_of_their_own(api_key, client, in_parallel):
    secret, body = api_key(), {"clientId": client.pk, "lines": []}
    made = in_parallel(6, lambda n: api_client(secret).post("/api/v1/invoices", body).json()["data"]["number"])
    assert sorted(made) == [str(1001 + n) for n in range(6)]
