"""Google's error bodies as our errors. Branches on status and reason, never on the message: Google rewords messages.

https://developers.google.com/workspace/calendar/api/guides/errors
https://developers.google.com/identity/protocols/oauth2#expiration
"""

import datetime as dt
from typing import Any

import requests

from integrations import errors
from integrations.providers.faults import TokenFaults, body_of, detail_of, is_foreign, unavailable, without_words

# Google's abuse limits last hours, not seconds: https://support.google.com/a/answer/2905486
QUOTA_PAUSE = dt.timedelta(hours=2)
RATE_REASONS = {"userRateLimitExceeded", "rateLimitExceeded"}
PROJECT_REASONS = {"dailyLimitExceeded", "accessNotConfigured"}
PERMISSION_REASONS = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
READ_ONLY_REASONS = {"forbidden", "requiredAccessLevel"}
TOKENS = TokenFaults(
    vendor="Google",
    service="Google",
    credentials="GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET",
    retry=frozenset({"internal_failure"}),
    ours=frozenset({"deleted_client", "redirect_uri_mismatch"}),
)


def explain(response: requests.Response, now: dt.datetime) -> errors.ProviderError:
    """Returns the error that an answer of 400 or more stands for."""
    body = body_of(response)
    if is_foreign(response, body):
        return unavailable("Google", f"HTTP {response.status_code}")
    return without_words(explain_body(response.status_code, body, now), body)


def explain_body(status: int, body: Any, now: dt.datetime) -> errors.ProviderError:
    """Returns the same for one part of a batch."""
    error = body.get("error") if isinstance(body, dict) else None
    detail = detail_of(body)
    if isinstance(error, str):  # the token endpoint's flat shape
        return TOKENS.explain(status, error, detail, _reconnect(error, body.get("error_subtype", "")))
    return _explain_api(status, _reasons(error), detail, now)


def _reasons(error: Any) -> set[str]:
    if not isinstance(error, dict):
        return set()
    items = [*(error.get("errors") or []), *(error.get("details") or [])]
    return {str(item.get("reason")) for item in items if isinstance(item, dict) and item.get("reason")}


def _reconnect(code: str, subtype: str) -> str:
    """Returns what the person is told where a code of the token endpoint ends the grant."""
    if code == "admin_policy_enforced":
        return (
            "The administrator of this Google account does not allow FieldCamp. Ask them to allow it, then reconnect."
        )
    if subtype == "invalid_rapt":
        return "Google asks this user to sign in again. Reconnect the account."
    if code in ("invalid_grant", "invalid_token"):
        return "Google has ended FieldCamp's access. Reconnect the account."
    return ""


def _explain_api(status: int, reasons: set[str], detail: str, now: dt.datetime) -> errors.ProviderError:
    if status == 401:
        return errors.NeedsReconnect(
            "Google does not accept the access any more. Reconnect the account.", detail=detail
        )
    if status == 403:
        return _explain_forbidden(reasons, detail, now)
    if status == 429:
        return _rate_limited(dt.timedelta(0), detail, now)
    if status >= 500 or status == 408:
        return unavailable("Google", detail)
    if status == 410 and reasons & {"fullSyncRequired", "updatedMinTooLongAgo"}:
        return errors.CursorExpired("Google asked for everything to be read again.", detail=detail)
    if status in (404, 410):
        return errors.Gone("Google does not have this any more.", detail=detail)
    if status == 409 and "duplicate" in reasons:
        return errors.Duplicate("Google has an event with this id already.", detail=detail)
    if status == 409:  # "conflict": an item of a batch clashed with another
        return errors.Unavailable(
            "Google could not take this together with other changes; it is tried again.", detail=detail
        )
    if status == 412:
        return errors.Stale("The event has been changed in Google Calendar meanwhile.", detail=detail)
    return errors.Rejected("Google Calendar does not accept this event as it is.", detail=detail)


def _explain_forbidden(reasons: set[str], detail: str, now: dt.datetime) -> errors.ProviderError:
    if reasons & RATE_REASONS:
        return _rate_limited(dt.timedelta(0), detail, now)
    if "quotaExceeded" in reasons:
        return _rate_limited(QUOTA_PAUSE, detail, now)
    if reasons & PROJECT_REASONS:
        return errors.Misconfigured(
            "Google's console does not allow FieldCamp to use the Calendar API. An operator has to check the project.",
            detail=detail,
        )
    if reasons & PERMISSION_REASONS:
        return errors.NeedsPermission(
            "FieldCamp lacks a permission at Google. Reconnect and tick every box.", detail=detail
        )
    if reasons & READ_ONLY_REASONS:
        return errors.ContainerUnavailable(
            "Google does not let this account change the calendar. Choose another calendar or ask its owner.",
            detail=detail,
            doubtful="requiredAccessLevel" not in reasons,
        )
    return errors.Rejected("Google does not let this account change the event.", detail=detail)


def _rate_limited(pause: dt.timedelta, detail: str, now: dt.datetime) -> errors.RateLimited:
    if pause:
        message = "Google has paused this account for some hours because of too many changes."
    else:
        message = "Google asks to slow down."
    return errors.RateLimited(message, retry_at=now + pause, detail=detail)
