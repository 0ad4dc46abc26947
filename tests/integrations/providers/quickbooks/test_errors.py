"""Each row of Intuit's table of faults, in both envelopes, and what becomes of it."""

import datetime as dt
import json

import pytest
import requests

from integrations import errors
from integrations.providers.quickbooks.errors import explain, explain_fault, fault_in, fault_of, token_ended

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
TOKEN = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..canary"


def answer(status: int, body, **headers) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response.encoding = "utf-8"
    return response


def entity(code: str, message: str = "words", detail: str = "more words") -> dict:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2020-09-29T06:58:50.262-07:00"}


def gateway(code: str, message: str = "words", detail: str | None = None) -> dict:
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return {"warnings": None, "fault": {"error": [error], "type": "AUTHENTICATION"}, "time": 1601391072830}


INACTIVE = "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts."
DELETED = "Object Not Found : Another user has deleted this transaction."


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason", "words"),
    [
        (400, {"error": "invalid_grant"}, errors.NeedsReconnect, "", "ended"),
        (
            400,
            {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"},
            errors.NeedsReconnect,
            "",
            "ended",
        ),
        (
            400,
            {"error": "invalid_grant", "error_description": "Incorrect Token type or clientID"},
            errors.NeedsReconnect,
            "",
            "another app",
        ),
        (401, {"error": "invalid_client"}, errors.Misconfigured, "", "INTUIT_CLIENT_SECRET"),
        (400, {"error": "invalid_request"}, errors.Misconfigured, "", "operator"),
        (503, {"error": "server_error"}, errors.Unavailable, "", "moment"),
        (429, {"error": "invalid_grant"}, errors.Unavailable, "", "moment"),
        (401, gateway("3200", "message=AuthenticationFailed; errorCode=003200"), errors.NeedsReconnect, "", "access"),
        (401, b"", errors.NeedsReconnect, "", "access"),
        (403, gateway("3100", "message=ApplicationAuthorizationFailed"), errors.NeedsReconnect, "", "same company"),
        (401, entity("120", "-11014-You do not have access"), errors.NeedsReconnect, "", "administrators"),
        (429, entity("3001", "message=ThrottleExceeded; errorCode=003001"), errors.RateLimited, "", "slow"),
        (403, gateway("3001", "message=ThrottleExceeded; errorCode=003001"), errors.RateLimited, "", "slow"),
        (
            403,
            b"<IntuitResponse><Fault>message=ThrottleExceeded</Fault></IntuitResponse>",
            errors.RateLimited,
            "",
            "slow",
        ),
        (429, b"", errors.RateLimited, "", "slow"),
        (400, entity("5010", "Stale Object Error"), errors.Stale, "", "meanwhile"),
        (400, entity("610", "Object Not Found", DELETED), errors.Gone, "", "any more"),
        (400, entity("610", "Object Not Found", INACTIVE), errors.Rejected, "inactive_reference", "active"),
        (400, entity("2500", "Invalid Reference Id"), errors.Rejected, "inactive_reference", "active"),
        (400, entity("6250"), errors.Rejected, "inactive_reference", "customer"),
        (400, entity("6140", "Duplicate Document Number Error"), errors.Rejected, "duplicate_number", "number"),
        (400, entity("6240", "Duplicate Name Exists Error"), errors.Rejected, "duplicate_name", "name"),
        (400, entity("6210", "The account period has closed"), errors.Rejected, "closed_period", "closed"),
        (400, entity("6200"), errors.Rejected, "closed_period", "closed"),
        (400, entity("6540", "Deposited Transaction cannot be changed"), errors.Rejected, "deposited", "deposit"),
        (400, entity("6450"), errors.Rejected, "settled", "settled"),
        (400, entity("6100"), errors.Rejected, "tax_mapping", "tax"),
        (400, entity("6430"), errors.Rejected, "item_mapping", "account"),
        (400, entity("5030"), errors.Rejected, "limits", "plan"),
        (403, entity("5020", "Permission Denied Error"), errors.Rejected, "limits", "role"),
        (400, entity("6190", "Invalid Company Status"), errors.Suspended, "subscription", "Renew"),
        (400, entity("6000", "A business validation error"), errors.Rejected, "", "what it says"),
        (
            400,
            entity("6000", "Business", "The currency of the transaction is invalid for customer"),
            errors.Rejected,
            "currency",
            "another currency",
        ),
        (400, entity("2010"), errors.Rejected, "", "what it says"),
        (400, entity("600", "Duplicate Request ID"), errors.Unavailable, "", "moment"),
        (400, entity("10000", "An application error has occurred"), errors.Unavailable, "", "moment"),
        (400, entity("150"), errors.Unavailable, "", "moment"),
        (500, b"<html>", errors.Unavailable, "", "moment"),
        (503, entity("10000"), errors.Unavailable, "", "moment"),
        (418, b"[1]", errors.Unavailable, "", "moment"),
        (400, {"Fault": {"Error": "odd"}}, errors.Rejected, "", "what it says"),
    ],
)
def test_the_table(status, body, kind, reason, words):
    error = explain(answer(status, body), NOW)
    assert type(error) is kind
    assert error.reason == (reason or None)
    assert words in str(error)
    assert str(error).endswith(".")


def test_of_several_errors_the_known_one_counts():
    body = entity("2020")
    body["Fault"]["Error"].append({"Message": "x", "Detail": "y", "code": "6540"})
    assert explain(answer(400, body), NOW).reason == "deposited"


def test_a_throttle_waits_a_minute():
    assert explain(answer(429, b""), NOW).retry_at == NOW + dt.timedelta(seconds=60)


@pytest.mark.parametrize("code", ["3200", "3100", "120"])
def test_no_token_in_any_text(code):
    error = explain(answer(401, gateway(code, "message=AuthenticationFailed", f"Token expired: {TOKEN}")), NOW)
    assert "canary" not in str(error) + error.detail
    assert code in error.detail


@pytest.mark.parametrize("token", [TOKEN, "AB11678912345canary0123456789abcdefghijkl"])
def test_no_token_in_the_words_of_any_other_fault(token):
    error = explain(answer(400, entity("6000", "Business", f"called with {token} today")), NOW)
    assert "canary" not in error.detail and "today" in error.detail


def test_the_vendors_words_and_its_name_for_the_call_are_kept():
    error = explain(answer(400, entity("6000", "Business", "The discount is odd"), intuit_tid="1-abc"), NOW)
    assert "The discount is odd" in error.detail
    assert "1-abc" in error.detail


def test_a_fault_hides_in_an_answer_of_200():
    response = answer(200, entity("5010"))
    assert isinstance(fault_in(response, response.json()), errors.Stale)
    assert fault_in(answer(200, {}), {"QueryResponse": {}}) is None
    assert token_ended(answer(200, gateway("3200")))
    assert not token_ended(answer(200, entity("5010")))
    assert not token_ended(answer(200, {"QueryResponse": {"Customer": [{"DisplayName": "Default 3200"}]}}))


def test_a_batchs_part_is_read_the_same():
    fault = fault_of({"bId": "1", **entity("6240")})
    assert explain_fault(fault, NOW).reason == "duplicate_name"
    assert fault_of({"bId": "1", "Customer": {"Id": "1"}}) is None


@pytest.mark.parametrize("id_", ["9341453182774906", "193514538214074"])
def test_a_company_is_not_named_in_what_is_kept_of_a_refusal(id_):
    fault = fault_of(entity("2010", "Request has invalid or unsupported property", f"realmId {id_} of invoice 1432"))
    detail = explain_fault(fault, NOW, status=400).detail
    assert id_ not in detail and f"…{id_[-4:]}" in detail and "invoice 1432" in detail
