"""Each row of Microsoft's tables of errors, and what becomes of it."""

import datetime as dt
import json

import pytest
import requests

from integrations import errors
from integrations.providers import PROVIDERS
from integrations.providers.outlook_calendar.errors import explain_body

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
explain = PROVIDERS["outlook_calendar"].explain


def answer(status: int, body) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response


def token(error: str, number: int | None = None, **more) -> dict:
    return {
        "error": error,
        "error_description": f"AADSTS{number}: words",
        "error_codes": [number] if number else [],
        **more,
    }


def graph(code: str, inner: dict | None = None) -> dict:
    return {"error": {"code": code, "message": "words", "innerError": inner or {"date": "2026-03-01T10:00:00"}}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        *(
            (400, token("invalid_grant", number), errors.NeedsReconnect, "ended")
            for number in (700082, 70008, 700084, 50173, 70000, 50089, 50132, 50133, 54005, 501481)
        ),
        *(
            (400, token("invalid_grant", number), errors.NeedsReconnect, "sign-in rules")
            for number in (50076, 50079, 50078, 50074, 53000, 53003, 50158, 70043)
        ),
        (400, token("interaction_required", 53003), errors.NeedsReconnect, "sign-in rules"),
        (400, token("invalid_grant", suberror="basic_action"), errors.NeedsReconnect, "sign-in rules"),
        (400, token("invalid_grant", suberror="protection_policy_required"), errors.NeedsReconnect, "sign-in rules"),
        (400, token("invalid_grant", suberror="bad_token"), errors.NeedsReconnect, "ended"),
        (400, token("invalid_grant", 50057), errors.NeedsReconnect, "locked"),
        (400, token("invalid_grant", suberror="user_password_expired"), errors.NeedsReconnect, "password"),
        (400, token("invalid_grant", 65001), errors.NeedsReconnect, "administrator"),
        (400, token("consent_required", 65001), errors.NeedsReconnect, "administrator"),
        (400, token("consent_required", 65004), errors.NeedsReconnect, "administrator"),
        (400, token("login_required"), errors.NeedsReconnect, "Reconnect"),
        (401, token("invalid_client", 7000215), errors.Misconfigured, "MICROSOFT_CLIENT_SECRET"),
        (401, token("invalid_client", 7000222), errors.Misconfigured, "operator"),
        (400, token("invalid_client", 70002), errors.Misconfigured, "operator"),
        (400, token("unauthorized_client", 700016), errors.Misconfigured, "operator"),
        (400, token("invalid_request", 50011), errors.Misconfigured, "operator"),
        (400, token("invalid_request", 50194), errors.Misconfigured, "operator"),
        (400, token("invalid_scope", 70011), errors.Misconfigured, "operator"),
        (400, token("invalid_resource", 500011), errors.Misconfigured, "operator"),
        (400, token("something_new"), errors.Misconfigured, "refused"),
        (400, token("temporarily_unavailable"), errors.Unavailable, "moment"),
        (400, token("invalid_grant", 50196), errors.Unavailable, "moment"),
        (503, token("server_error"), errors.Unavailable, "moment"),
        (429, token("invalid_request"), errors.Unavailable, "moment"),
        (400, {"error": "invalid_grant", "error_codes": "odd"}, errors.NeedsReconnect, "ended"),
        *(
            (400, graph(code), errors.Rejected, "as it is")
            for code in (
                "ErrorInvalidRequest",
                "ErrorInvalidParameter",
                "RequestBodyRead",
                "TimeZoneNotSupportedException",
                "ErrorOccurrenceCrossingBoundary",
                "ErrorInvalidProperty",
                "ErrorInvalidIdMalformed",
            )
        ),
        (401, graph("InvalidAuthenticationToken"), errors.NeedsReconnect, "Reconnect"),
        (401, b"", errors.NeedsReconnect, "Reconnect"),
        (403, graph("ErrorAccessDenied"), errors.ContainerUnavailable, "another calendar"),
        (403, graph("Authorization_RequestDenied"), errors.NeedsPermission, "permission"),
        (403, graph("insufficient_claims"), errors.NeedsReconnect, "Conditional Access"),
        (403, graph("", {"code": "insufficient_claims"}), errors.NeedsReconnect, "Conditional Access"),
        (403, graph(""), errors.ContainerUnavailable, "another calendar"),
        (404, graph("ErrorItemNotFound"), errors.Gone, "any more"),
        (404, graph("itemNotFound"), errors.Gone, "any more"),
        *(
            (404, graph(code), errors.MailboxUnavailable, "Exchange Online")
            for code in (
                "MailboxNotEnabledForRESTAPI",
                "MailboxNotSupportedForRESTAPI",
                "ResourceNotFound",
                "ErrorNonExistentMailbox",
            )
        ),
        (409, graph("ErrorIrresolvableConflict"), errors.Stale, "meanwhile"),
        (412, graph("ErrorIrresolvableConflict"), errors.Stale, "meanwhile"),
        (412, graph("resourceModified"), errors.Stale, "meanwhile"),
        (410, graph("SyncStateNotFound"), errors.CursorExpired, "again"),
        (410, graph("resyncRequired"), errors.CursorExpired, "again"),
        (410, b"", errors.CursorExpired, "again"),
        (404, graph("syncStateNotFound"), errors.CursorExpired, "again"),
        (400, {"error": {"code": "x", "innererror": {"code": "SyncStateNotFound"}}}, errors.CursorExpired, "again"),
        (429, graph("ApplicationThrottled"), errors.RateLimited, "slow"),
        (429, graph("TooManyRequests", {"code": "429", "status": "429"}), errors.RateLimited, "slow"),
        (503, graph("activityLimitReached"), errors.RateLimited, "slow"),
        (424, graph("FailedDependency"), errors.RateLimited, "slow"),
        (500, graph("ErrorInternalServerTransientError"), errors.Unavailable, "moment"),
        (502, b"<html>bad gateway</html>", errors.Unavailable, "moment"),
        (503, graph("serviceNotAvailable"), errors.Unavailable, "moment"),
        (504, graph("UnknownError"), errors.Unavailable, "moment"),
        (408, b"", errors.Unavailable, "moment"),
        (507, graph("quotaLimitReached"), errors.ContainerUnavailable, "full"),
        (509, graph("bandwidth"), errors.RateLimited, "paused"),
        (418, b"[1]", errors.Unavailable, "moment"),
        (400, {"error": {"code": 7, "innerError": "odd"}}, errors.Rejected, "as it is"),
    ],
)
def test_the_table(status, body, kind, words):
    error = explain(answer(status, body), NOW)
    assert type(error) is kind
    assert words in str(error)
    assert str(error).endswith(".")


def test_a_wait_is_the_one_that_was_asked_for():
    assert explain_body(429, graph("ApplicationThrottled"), NOW, 2.128).retry_at == NOW + dt.timedelta(seconds=2.128)
    assert explain_body(429, graph("ApplicationThrottled"), NOW).retry_at == NOW
    assert explain_body(509, None, NOW).retry_at >= NOW + dt.timedelta(minutes=30)


def test_errors_inside_errors_have_an_end():
    body: dict = {"code": "outer"}
    body["innerError"] = body
    assert type(explain_body(400, {"error": {"code": "x", "innerError": {"code": "y"}}}, NOW)) is errors.Rejected
    from integrations.providers.outlook_calendar.errors import _codes

    assert set(_codes(body)) == {"outer"}


def test_the_vendors_words_are_kept_without_tokens():
    body = {"error": {"code": "ErrorInvalidRequest", "message": "access_token=EwB.canary-token-of-somebody was bad"}}
    error = explain(answer(400, body), NOW)
    assert "ErrorInvalidRequest" in error.detail
    assert "canary" not in error.detail + str(error)
