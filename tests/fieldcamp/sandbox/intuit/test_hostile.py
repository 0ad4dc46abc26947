"""Whatever is sent, the answer is a refusal in the vendor's shape: never a 500, never a traceback."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcamp.sandbox.intuit.registry import ENTITIES
from fieldcamp.sandbox.mount import URL

pytestmark = pytest.mark.slow

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just({"value": "1"}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WRITABLE = [
    ENTITIES[name]
    for name in ("Customer", "Vendor", "Employee", "Item", "Account", "Term", "PaymentMethod", "TaxAgency", "Invoice",
                 "Payment")
]  # fmt: skip
WORDS = st.sampled_from(
    ["select", "*", "from", "Customer", "Invoice", "where", "Id", "Balance", "TxnDate", "MetaData.LastUpdatedTime", "=",
     "in", "(", ")", "like", "'a'", "'2026-01-01'", "and", "1", "orderby", "desc", "startposition", "maxresults", ",",
     "count(*)", "true", "'", "\\", "--", ";", "\x00", "é", "99999999999999999999"]
)  # fmt: skip


def raw(books, path, body, method="POST", kind="application/json"):
    headers = {"Authorization": f"Bearer {books.token['access_token']}", "Accept": "application/json"}
    return books.session.request(method, f"{books.base}/{path}", data=body, headers=headers | {"Content-Type": kind})


def accepted_or_refused(response):
    assert response.status_code in (200, 400), response.text[:300]
    assert response.status_code == 200 or response.json()["Fault"]["Error"][0]["code"]


@MANY
@given(st.data())
def test_objects_of_any_shape(books, data):
    entity = data.draw(st.sampled_from(WRITABLE))
    fields = st.sampled_from([*entity.fields, *entity.ignored, "Id", "SyncToken", "sparse", "x"])
    body = data.draw(st.dictionaries(fields, VALUES, max_size=6))
    accepted_or_refused(raw(books, entity.segment, json.dumps(body)))
    accepted_or_refused(raw(books, f"{entity.segment}?operation=delete", json.dumps(body)))
    item = {"bId": "1", "operation": "update", entity.name: body}
    accepted_or_refused(raw(books, "batch", json.dumps({"BatchItemRequest": [item]})))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1" + "0" * 400, "1" + "0" * 5000])
def test_numbers_that_are_none(books, number):
    body = '{"Name": "A", "Type": "Service", "IncomeAccountRef": {"value": "1"}, "UnitPrice": %s}' % number  # noqa: UP031
    assert raw(books, "item", body).status_code == 400
    assert raw(books, "customer", '{"DisplayName": %s}' % number).status_code in (200, 400)  # noqa: UP031


@MANY
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=40))
def test_statements_of_any_kind(books, statement):
    accepted_or_refused(raw(books, "query", statement.encode("utf-8", "replace"), kind="application/text"))
    accepted_or_refused(books.call("GET", "query", query=f"select * from Customer where {statement}"))


@MANY
@given(st.text(max_size=30), st.text(max_size=30))
def test_changes_since_any_moment(books, entities, since):
    accepted_or_refused(books.call("GET", "cdc", entities=entities, changedSince=since))
    accepted_or_refused(books.call("GET", "cdc", entities="Customer", changedSince=since))


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01", "T", "+"])
def test_moments_at_the_edge(books, since):
    accepted_or_refused(books.call("GET", "cdc", entities="Customer", changedSince=since))
    where = f"select * from Customer where MetaData.CreateTime > '{since}'"
    accepted_or_refused(books.call("GET", "query", query=where))


@pytest.mark.parametrize(
    "path", ["", "customer/" + "9" * 5000, "customer/%00", "customer/1/2/3", "%2e%2e/", "query/x", "batch", "cdc/1"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_addresses_of_any_kind(books, path, method):
    assert raw(books, path, b"{}", method).status_code == 400


@MANY
@given(st.dictionaries(st.sampled_from(["grant_type", "code", "refresh_token", "redirect_uri", "x"]), st.text()))
def test_token_requests_of_any_kind(books, form):
    for name in ("oauth/oauth2/v1/tokens/bearer", "developer/v2/oauth2/tokens/revoke"):
        response = books.session.post(f"{URL}/intuit/{name}", data=form, auth=("us", "sandbox-secret"))
        assert response.status_code == 400 and response.json()["error"]


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic /w==", "Bearer x", "Basic OnNhbmRib3gtc2VjcmV0"])
def test_client_credentials_of_any_kind(books, header):
    url = f"{URL}/intuit/oauth/oauth2/v1/tokens/bearer"
    response = books.session.post(url, data={"grant_type": "refresh_token"}, headers={"Authorization": header})
    assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})
