"""Microsoft's error bodies as our errors. Branches on status and code, never on the message.

Graph: https://learn.microsoft.com/en-us/graph/errors
Sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import requests

from integrations import errors
from integrations.providers.faults import TokenFaults, body_of, detail_of, is_foreign, unavailable, without_words

BANDWIDTH_PAUSE = dt.timedelta(hours=1)
# Codes are compared without regard to case: the documentation itself spells them in several ways.
NO_MAILBOX = {
    "mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "resourcenotfound", "errornonexistentmailbox",
}  # fmt: skip
RESET = {"syncstatenotfound", "resyncrequired", "syncstateinvalid"}
THROTTLED = {"applicationthrottled", "toomanyrequests", "activitylimitreached"}

TOKENS = TokenFaults(
    vendor="Microsoft",
    service="Microsoft",
    credentials="MICROSOFT_CLIENT_ID, MICROSOFT_CLIENT_SECRET (or the certificate) and the app's registration",
    ours=frozenset({"invalid_resource", "unsupported_response_type"}),
)
TOKEN_USER = {"invalid_grant", "interaction_required", "consent_required", "login_required"}
# Numbers are for diagnosis; here they pick the sentence, and keep a passing trouble from ending an account.
PASSING = {50033, 50087, 50196}
POLICY = {50074, 50076, 50078, 50079, 50158, 53000, 53001, 53002, 53003, 53004, 70043}
POLICY_SUBERRORS = {
    "basic_action", "additional_action", "message_only", "protection_policy_required", "device_authentication_failed",
}  # fmt: skip
CONSENT = {65001, 65004, 90094}
LOCKED = {50053, 50055, 50057}


def explain(response: requests.Response, now: dt.datetime) -> errors.ProviderError:
    """Returns the error that an answer of 400 or more stands for."""
    body = body_of(response)
    if is_foreign(response, body):
        return unavailable("Microsoft", f"HTTP {response.status_code}")
    return without_words(explain_body(response.status_code, body, now), body)


def explain_body(status: int, body: Any, now: dt.datetime, wait: float = 0.0) -> errors.ProviderError:
    """Returns the same for one part of a batch, which asks to wait for so many seconds."""
    error = body.get("error") if isinstance(body, dict) else None
    detail = detail_of(body)
    if isinstance(error, str):  # the token endpoint's flat shape
        return _explain_token(status, error, body, detail)
    when = now + dt.timedelta(seconds=wait)
    codes = [code for code in _codes(error) if code.isidentifier()]
    # Redaction takes every "code" for one of OAuth's.
    return _explain_graph(status, {*map(str.casefold, codes)}, " ".join([*codes, detail]), when)


def _codes(error: Any) -> Iterator[str]:
    """Yields the error's code and those of the errors within it."""
    for _depth in range(10):
        if not isinstance(error, dict):
            return
        if isinstance(error.get("code"), str):
            yield error["code"]
        error = error.get("innerError") or error.get("innererror")


def _explain_token(status: int, code: str, body: dict[str, Any], detail: str) -> errors.ProviderError:
    listed, suberror = body.get("error_codes"), body.get("suberror")
    numbers = {number for number in listed if isinstance(number, int)} if isinstance(listed, list) else set()
    if numbers & PASSING:
        return unavailable("Microsoft", detail)
    return TOKENS.explain(status, code, detail, _reconnect(code, numbers, suberror) if code in TOKEN_USER else "")


def _reconnect(code: str, numbers: set[int], suberror: Any) -> str:
    """Returns what the person is told where a code of the token endpoint ends the grant."""
    if numbers & LOCKED or suberror == "user_password_expired":
        return "Microsoft says that this user is locked or must set a new password. Repair that, then reconnect."
    if numbers & CONSENT or code == "consent_required" or suberror == "consent_required":
        return "The consent to FieldCamp is missing. Reconnect; an administrator may have to allow FieldCamp first."
    if numbers & POLICY or code == "interaction_required" or suberror in POLICY_SUBERRORS:
        return "The organization's sign-in rules ask this user to sign in again. Reconnect the account."
    return "Microsoft has ended FieldCamp's access. Reconnect the account."


def _explain_graph(status: int, codes: set[str], detail: str, when: dt.datetime) -> errors.ProviderError:
    if status == 401:
        return errors.NeedsReconnect(
            "Microsoft does not accept the access any more. Reconnect the account.", detail=detail
        )
    if status in (424, 429) or codes & THROTTLED:
        # 424: left undone because another call of the same batch was refused.
        return errors.RateLimited("Microsoft asks to slow down.", retry_at=when, detail=detail)
    if status == 410 or codes & RESET:
        return errors.CursorExpired("Microsoft asked for everything to be read again.", detail=detail)
    if status == 403:
        return _explain_forbidden(codes, detail)
    if status == 404:
        return _explain_missing(codes, detail)
    if status in (409, 412):
        return errors.Stale("The event has been changed in Outlook meanwhile.", detail=detail)
    if status == 507:
        return errors.ContainerUnavailable(
            "The mailbox is full. Make room in Outlook; what waits is written by the next sync.", detail=detail
        )
    if status == 509:
        return errors.RateLimited(
            "Microsoft has paused this mailbox for its traffic.", retry_at=when + BANDWIDTH_PAUSE, detail=detail
        )
    if status >= 500 or status == 408:
        return unavailable("Microsoft", detail)
    return errors.Rejected("Outlook does not accept this event as it is.", detail=detail)


def _explain_forbidden(codes: set[str], detail: str) -> errors.ProviderError:
    if "insufficient_claims" in codes:
        return errors.NeedsReconnect(
            "The organization's sign-in rules (Conditional Access) stopped FieldCamp. Reconnect the account; if that"
            " does not help, an administrator has to allow FieldCamp.",
            detail=detail,
        )
    if "authorization_requestdenied" in codes:
        return errors.NeedsPermission(
            "FieldCamp lacks a permission at Microsoft. Reconnect and accept all of them.", detail=detail
        )
    return errors.ContainerUnavailable(
        "Microsoft does not let this account change the calendar. Choose another calendar or ask its owner.",
        detail=detail,
        doubtful=True,
    )


def _explain_missing(codes: set[str], detail: str) -> errors.ProviderError:
    if codes & NO_MAILBOX:
        return errors.MailboxUnavailable(
            "This account has no mailbox that FieldCamp can reach: it lacks an Exchange Online licence, or its mail"
            " is on the organization's own server. Ask an administrator; the sync goes on by itself once it is there.",
            detail=detail,
        )
    return errors.Gone("Outlook does not have this any more.", detail=detail)
