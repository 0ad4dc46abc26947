"""Intuit's faults as our errors. Branches on codes; on words only where one code means two things.

There are two envelopes: a gateway's `fault.error[].message` and an entity's `Fault.Error[].Message`, and both have been
seen inside an answer of 200.
https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from fieldcamp.redaction import redact
from integrations import errors
from integrations.errors import ProblemReason
from integrations.providers.faults import TokenFaults, body_of, is_foreign, unavailable
from integrations.providers.quickbooks.addresses import shown
from integrations.providers.quickbooks.refusals import REFUSALS
from integrations.transport.client import utc_now

PAUSE = dt.timedelta(seconds=60)  # what Intuit says to wait; its answers do not name a time
THROTTLED, TOKEN_ENDED = "3001", "3200"
OTHER_RULE, NO_LINK = "6000", "620"  # a rule of the books, which only its words tell; what cannot be paid
RECONNECT = {"100", "110", "120", "3100", TOKEN_ENDED}
ILL = {"130", "140", "150", "600", "10000"}  # 600: the same request is being carried out
# Their details have been seen to hold the token.
SECRETIVE = {"100", "110", "120", "3100", TOKEN_ENDED}

TOKENS = TokenFaults(
    vendor="Intuit",
    service="QuickBooks",
    credentials="INTUIT_CLIENT_ID, INTUIT_CLIENT_SECRET and the app's registration",
    accounts="companies",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What one of Intuit's faults says."""

    codes: tuple[str, ...]
    text: str  # for reading, never for printing: it may hold a token

    @property
    def throttled(self) -> bool:
        return THROTTLED in self.codes or "ThrottleExceeded" in self.text or "errorCode=003001" in self.text


def fault_of(body: Any) -> Fault | None:
    """Returns the fault in an answer, or in one item of a batch."""
    fault = (body.get("Fault") or body.get("fault")) if isinstance(body, Mapping) else None
    if not isinstance(fault, Mapping):
        return None
    listed = fault.get("Error") or fault.get("error")
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    codes = tuple(str(row.get("code")) for row in rows)
    words = (f"{row.get('Message') or row.get('message')}: {row.get('Detail') or row.get('detail')}" for row in rows)
    return Fault(codes, " | ".join(words) or "no words")


def explain(response: requests.Response, now: dt.datetime) -> errors.ProviderError:
    """Returns the error that an answer of 400 or more stands for."""
    body = body_of(response)
    if not body and "Fault" in response.text:  # without `Accept` a gateway answers in XML
        body = {"fault": {"error": [{"message": response.text[:500]}]}}
    if is_foreign(response, body):
        return unavailable("QuickBooks", f"HTTP {response.status_code}")
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return _explain_token(response.status_code, body["error"], body.get("error_description"))
    return explain_fault(fault_of(body), now, status=response.status_code, tid=trace_of(response))


def fault_in(response: requests.Response, body: Any) -> errors.ProviderError | None:
    """Returns the error that hides in an answer of 200, if one does."""
    fault = fault_of(body)
    return explain_fault(fault, utc_now(), tid=trace_of(response)) if fault else None


def token_ended(response: requests.Response) -> bool:
    """Returns whether an answer below 400 says that the token is not good any more."""
    if response.status_code != 200 or b"ault" not in response.content[:4000]:
        return False
    try:
        fault = fault_of(response.json())
    except (ValueError, RecursionError):
        return False
    return fault is not None and TOKEN_ENDED in fault.codes


def trace_of(response: requests.Response) -> str:
    """Intuit's name for this exchange, which its support asks for."""
    return str(response.headers.get("intuit_tid") or response.headers.get("intuit-tid") or "")[:80]


def _explain_token(status: int, code: str, description: Any) -> errors.ProviderError:
    reconnect = ""
    if code == "invalid_grant" and "clientID" in str(description):
        reconnect = "Intuit gave this access to another app, or to another of FieldCamp's keys. Reconnect the company."
    elif code == "invalid_grant":
        reconnect = "Intuit has ended FieldCamp's access. Reconnect the company."
    return TOKENS.explain(status, code, redact(f"{code}, {description}")[:300], reconnect)


def explain_fault(fault: Fault | None, now: dt.datetime, *, status: int = 400, tid: str = "") -> errors.ProviderError:
    """Returns the same for one fault, which may be that of a batch's item."""
    fault = fault or Fault((), "")
    codes, detail = set(fault.codes), _detail(fault, status, tid)
    if status == 429 or fault.throttled:
        return errors.RateLimited("QuickBooks asks to slow down.", retry_at=now + PAUSE, detail=detail)
    if "120" in codes:
        return errors.NeedsReconnect(
            "The user who connected this company may not use it any more. Let one of its administrators reconnect it.",
            detail=detail,
        )
    if "3100" in codes:
        return errors.NeedsReconnect(
            "QuickBooks does not let FieldCamp into this company. Reconnect it, and choose the same company.",
            detail=detail,
        )
    if status == 401 or codes & RECONNECT:
        return errors.NeedsReconnect(
            "QuickBooks does not accept the access any more. Reconnect the company.", detail=detail
        )
    if "6190" in codes:
        return errors.Suspended(
            "The company's QuickBooks subscription has ended. Renew it in QuickBooks; the sync goes on by itself.",
            detail=detail,
            reason=ProblemReason.SUBSCRIPTION,
        )
    if status >= 500 or status == 408 or codes & ILL:
        return unavailable("QuickBooks", detail)
    return _refusal(fault, codes, detail)


def is_said(error: errors.Unavailable) -> bool:
    """Returns whether QuickBooks itself said that it failed, so that it would say so again; an answer may be lost,
    too."""
    return error.detail.partition(" ")[0].rstrip(",") in ILL


def _refusal(fault: Fault, codes: set[str], detail: str) -> errors.ProviderError:
    if "5010" in codes:
        return errors.Stale("It has been changed in QuickBooks meanwhile.", detail=detail)
    if "610" in codes and "made inactive" not in fault.text:
        return errors.Gone("QuickBooks does not have this any more.", detail=detail)
    if OTHER_RULE in codes and "currency" in fault.text.casefold():
        return errors.Rejected(
            "QuickBooks keeps this customer in another currency. Bill it in QuickBooks, or link another customer.",
            detail=detail,
            reason=ProblemReason.CURRENCY,
        )
    known = "2500" if "610" in codes else next((code for code in fault.codes if code in REFUSALS), "")
    if known:
        reason, message = REFUSALS[known]
        return errors.Rejected(message, detail=detail, reason=reason)
    return errors.Rejected(
        "QuickBooks does not accept this as it is. Look at what it says, correct that, then retry.", detail=detail
    )


def _detail(fault: Fault, status: int, tid: str) -> str:
    codes = ", ".join(fault.codes) or f"HTTP {status}"
    words = "" if SECRETIVE & set(fault.codes) else f" {shown(redact(fault.text))[:800]}"
    return f"{codes}{words}".strip() + (f" (intuit_tid {tid})" if tid else "")
