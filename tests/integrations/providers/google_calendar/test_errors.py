"""Each row of Google's tables of errors, and what becomes of it."""

import datetime as dt
import json

import pytest
import requests

from integrations import errors
from integrations.providers import PROVIDERS

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
explain = PROVIDERS["google_calendar"].explain


def answer(status: int, body) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response


def api(code: int, reason: str, **more) -> dict:
    return {"error": {"errors": [{"domain": "global", "reason": reason, "message": "words"}], "code": code, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
            errors.NeedsReconnect,
        ),
        (400, {"error": "invalid_grant", "error_description": "Bad Request"}, errors.NeedsReconnect),
        (400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}, errors.NeedsReconnect),
        (400, {"error": "admin_policy_enforced"}, errors.NeedsReconnect),
        (401, {"error": "invalid_client", "error_description": "Unauthorized"}, errors.Misconfigured),
        (400, {"error": "deleted_client"}, errors.Misconfigured),
        (401, {"error": "unauthorized_client"}, errors.Misconfigured),
        (400, {"error": "redirect_uri_mismatch"}, errors.Misconfigured),
        (400, {"error": "invalid_request"}, errors.Misconfigured),
        (400, {"error": "invalid_scope"}, errors.Misconfigured),
        (400, {"error": "unsupported_grant_type"}, errors.Misconfigured),
        (400, {"error": "something new"}, errors.Misconfigured),
        (400, {"error": "internal_failure"}, errors.Unavailable),
        (400, {"error": "server_error"}, errors.Unavailable),
        (400, {"error": "temporarily_unavailable"}, errors.Unavailable),
        (429, {"error": "rate"}, errors.Unavailable),
        (503, {"error": "x"}, errors.Unavailable),
        (400, api(400, "timeRangeEmpty"), errors.Rejected),
        (400, api(400, "required"), errors.Rejected),
        (400, api(400, "invalid"), errors.Rejected),
        (401, api(401, "authError"), errors.NeedsReconnect),
        (403, api(403, "userRateLimitExceeded"), errors.RateLimited),
        (403, api(403, "rateLimitExceeded"), errors.RateLimited),
        (429, api(429, "rateLimitExceeded"), errors.RateLimited),
        (429, b"", errors.RateLimited),
        (403, api(403, "quotaExceeded"), errors.RateLimited),
        (403, api(403, "dailyLimitExceeded"), errors.Misconfigured),
        (403, api(403, "accessNotConfigured"), errors.Misconfigured),
        (403, api(403, "forbiddenForNonOrganizer"), errors.Rejected),
        (403, api(403, "forbidden"), errors.ContainerUnavailable),
        (403, api(403, "requiredAccessLevel"), errors.ContainerUnavailable),
        (403, api(403, "insufficientPermissions"), errors.NeedsPermission),
        (
            403,
            {"error": {"code": 403, "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}},
            errors.NeedsPermission,
        ),
        (403, b"<html>", errors.Unavailable),
        (404, api(404, "notFound"), errors.Gone),
        (409, api(409, "duplicate"), errors.Duplicate),
        (409, api(409, "conflict"), errors.Unavailable),
        (410, api(410, "fullSyncRequired"), errors.CursorExpired),
        (410, api(410, "updatedMinTooLongAgo"), errors.CursorExpired),
        (410, api(410, "deleted"), errors.Gone),
        (412, api(412, "conditionNotMet"), errors.Stale),
        (500, api(500, "backendError"), errors.Unavailable),
        (503, api(503, "backendError"), errors.Unavailable),
        (502, b"<html>bad gateway</html>", errors.Unavailable),
        (408, b"", errors.Unavailable),
        (418, b"[1]", errors.Unavailable),
        (400, {"error": {"errors": ["odd"], "details": None}}, errors.Rejected),
    ],
)
def test_the_table(status, body, kind):
    error = explain(answer(status, body), NOW)
    assert type(error) is kind
    assert str(error).endswith(".")


def test_a_used_up_quota_lasts_hours_and_a_rate_limit_does_not():
    assert explain(answer(403, api(403, "quotaExceeded")), NOW).retry_at >= NOW + dt.timedelta(hours=1)
    assert explain(answer(403, api(403, "rateLimitExceeded")), NOW).retry_at == NOW


def test_the_vendors_words_are_kept_without_tokens():
    body = api(400, "invalid", message="access_token=ya29.canary-token-of-somebody was bad")
    error = explain(answer(400, body), NOW)
    assert "invalid" in error.detail
    assert "canary" not in error.detail + str(error)
