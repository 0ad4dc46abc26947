"""Intuit's own sign-in library and the most used client of QuickBooks against the sandbox, over a socket."""

import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip(
    "intuitlib", reason="NOT RUN: intuit-oauth is missing; install requirements-conformance.txt in .venv-conformance"
)
pytest.importorskip(
    "quickbooks", reason="NOT RUN: python-quickbooks is missing; install requirements-conformance.txt there"
)

import requests  # noqa: E402
from intuitlib.client import AuthClient  # noqa: E402
from intuitlib.enums import Scopes  # noqa: E402
from intuitlib.exceptions import AuthClientError  # noqa: E402
from quickbooks import QuickBooks  # noqa: E402
from quickbooks.batch import batch_create, batch_update  # noqa: E402
from quickbooks.cdc import change_data_capture  # noqa: E402
from quickbooks.exceptions import ObjectNotFoundException, QuickbooksException, ValidationException  # noqa: E402
from quickbooks.objects import Account, Customer, Invoice, Item, Payment, Preferences, TaxCode, Term  # noqa: E402
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail  # noqa: E402

from fieldcamp.sandbox.app import create_app  # noqa: E402
from fieldcamp.sandbox.server import Server  # noqa: E402

BACK = "http://localhost:8000/oauth/callback"
REALM = "9130001"
SCOPES = [Scopes.ACCOUNTING, Scopes.OPENID, Scopes.EMAIL, Scopes.PROFILE]


@pytest.fixture(scope="module")
def url():
    app = create_app(seed="empty")
    server = Server(("127.0.0.1", 0), app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.close()


@pytest.fixture
def control(url):
    """Control calls; the sandbox has forgotten what the last test did, and does not throttle."""

    def call(name, **body):
        response = requests.post(f"{url}/_control/{name}", json=body, timeout=5)
        assert response.ok, response.text
        return response.json()

    call("reset", seed="empty")
    call("throttle", vendor="intuit", enabled=False)
    return call


@pytest.fixture
def auth(url, control):
    discovery = f"{url}/intuit/developer/.well-known/openid_sandbox_configuration"
    return AuthClient("us", "sandbox-secret", BACK, discovery)


def sign_in(auth, scopes=None):
    address = auth.get_authorization_url(scopes or SCOPES)
    response = requests.get(f"{address}&sandbox_auto={REALM}", allow_redirects=False, timeout=5)
    assert response.status_code == 302, response.text
    back = {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}
    assert back["state"] == auth.state_token
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])
    return back


@pytest.fixture
def qb(url, auth, monkeypatch):
    sign_in(auth)
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", f"{url}/intuit/api/v3")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the socket of this test speaks plain http
    auth.environment = "sandbox"
    return QuickBooks(auth_client=auth, refresh_token=auth.refresh_token, company_id=REALM, minorversion=75)


def customer(name, qb):
    made = Customer()
    made.DisplayName = name
    return made.save(qb=qb)


def income(qb):
    return Account.where("AccountType = 'Income'", max_results=1, qb=qb)[0].to_ref()


def item(name, qb):
    made = Item()
    made.Name, made.Type, made.IncomeAccountRef = name, "Service", income(qb)
    return made.save(qb=qb)


def invoice(who, what, amount, qb):
    made, line = Invoice(), SalesItemLine()
    line.Amount, line.SalesItemLineDetail = amount, SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = what.to_ref()
    made.CustomerRef = who.to_ref()
    made.Line.append(line)
    return made.save(qb=qb)


def test_the_sign_in_brings_tokens_the_company_and_an_id_token_that_holds(auth):
    back = sign_in(auth)
    assert back["realmId"] == REALM == auth.realm_id
    assert auth.expires_in == 3600 and auth.x_refresh_token_expires_in > 99 * 86400
    assert auth.id_token  # the library keeps it only when issuer, audience and signature are right
    assert auth.get_user_info().json()["email"] == "owner@intuit.test"


def test_a_code_works_once(auth):
    back = sign_in(auth)
    with pytest.raises(AuthClientError) as raised:
        auth.get_bearer_token(back["code"])
    assert raised.value.status_code == 400 and "invalid_grant" in raised.value.content.decode()


def test_a_refresh_keeps_its_token_for_a_day_and_then_replaces_it(auth, control):
    sign_in(auth)
    first = auth.refresh_token
    auth.refresh()
    assert auth.refresh_token == first
    control("clock", advance_seconds=25 * 3600)
    auth.refresh()
    assert auth.refresh_token != first
    with pytest.raises(AuthClientError):
        auth.refresh(refresh_token=first)


def test_a_revoked_connection_is_dead(auth, qb):
    access = auth.access_token
    assert auth.revoke(token=auth.refresh_token)
    with pytest.raises(AuthClientError):
        auth.refresh()
    with pytest.raises(AuthClientError):
        auth.get_user_info(access_token=access)


def test_a_wrong_secret_is_refused(url, control):
    discovery = f"{url}/intuit/developer/.well-known/openid_configuration"
    auth = AuthClient("us", "wrong", BACK, discovery, refresh_token="x")
    with pytest.raises(AuthClientError) as raised:
        auth.refresh()
    assert raised.value.status_code == 401


def test_customers_are_made_changed_found_and_made_inactive(qb):
    made = customer("Children's Museum", qb)
    assert made.Id and made.SyncToken == "0" and made.FullyQualifiedName == "Children's Museum"
    made.Notes = "Side door"
    assert made.save(qb=qb).SyncToken == "1"
    assert Customer.get(made.Id, qb=qb).Notes == "Side door"
    assert [each.Id for each in Customer.filter(DisplayName="Children's Museum", qb=qb)] == [made.Id]
    assert Customer.count(qb=qb) == 1
    fresh = Customer.get(made.Id, qb=qb)
    fresh.Active = False
    assert fresh.save(qb=qb).DisplayName == "Children's Museum (deleted)"
    assert Customer.all(qb=qb) == []
    assert len(Customer.where("Active IN (true, false)", qb=qb)) == 1


def test_errors_arrive_as_the_clients_own_exceptions(qb):
    customer("Amy", qb)
    with pytest.raises(QuickbooksException) as raised:
        customer("AMY", qb)
    assert raised.value.error_code == 6240
    with pytest.raises(ObjectNotFoundException):
        Customer.get("999", qb=qb)
    with pytest.raises(ValidationException) as invalid:
        Customer.query("select * from Customer where Nothing = '1'", qb=qb)
    assert invalid.value.error_code == 4001


def test_lists_preferences_and_taxes_can_be_read(qb):
    assert {term.Name for term in Term.all(qb=qb)} >= {"Net 30"}
    assert {"TAX", "NON", "2"} <= {code.Id for code in TaxCode.all(qb=qb)}
    assert Preferences.get(qb=qb).CurrencyPrefs.HomeCurrency.value == "USD"


def test_an_invoice_is_paid_and_another_voided(qb):
    who, what = customer("Amy", qb), item("Labor", qb)
    made = invoice(who, what, 120.5, qb)
    assert made.TotalAmt == made.Balance == 120.5
    payment = Payment()
    payment.CustomerRef, payment.TotalAmt = who.to_ref(), 120.5
    line = made.to_linked_txn()
    payment.Line.append({"Amount": 120.5, "LinkedTxn": [line.to_dict()]})
    payment.save(qb=qb)
    assert Invoice.get(made.Id, qb=qb).Balance == 0
    other = invoice(who, what, 10, qb)
    other.void(qb=qb)
    assert Invoice.get(other.Id, qb=qb).TotalAmt == 0


def test_batches_tell_each_outcome(qb):
    names = ["One", "Two", "One"]
    customers = [Customer() for _ in names]
    for made, name in zip(customers, names, strict=True):
        made.DisplayName = name
    result = batch_create(customers, qb=qb)
    assert sorted(each.DisplayName for each in result.successes) == ["One", "Two"]
    assert [fault.Error[0].code for fault in result.faults] == ["6240"]
    for made in result.successes:
        made.Notes = "In a batch"
    changed = batch_update(result.successes, qb=qb)
    assert [each.SyncToken for each in changed.successes] == ["1", "1"] and not changed.faults


def test_changes_and_deletions_are_captured(qb):
    since = datetime.now(UTC) - timedelta(hours=1)
    who, what = customer("Amy", qb), item("Labor", qb)
    kept, gone = invoice(who, what, 10, qb), invoice(who, what, 20, qb)
    gone.delete(qb=qb)
    changes = change_data_capture([Customer, Invoice, Payment], since.isoformat(timespec="seconds"), qb=qb)
    assert [each.Id for each in changes.Customer._object_list] == [who.Id]
    assert [(each.Id, getattr(each, "status", "")) for each in changes.Invoice._object_list] == [
        (kept.Id, ""),
        (gone.Id, "Deleted"),
    ]
    assert not hasattr(changes, "Payment")
