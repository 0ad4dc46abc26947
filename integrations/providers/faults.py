"""Reading what a vendor refuses: what all of them share. Sentences and codes are each vendor's own (`errors.py`)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from fieldcamp.redaction import redact
from integrations import errors

# https://www.rfc-editor.org/rfc/rfc6749#section-5.2, and what is meant for the consent but seen here as well
_RETRY = frozenset({"temporarily_unavailable", "server_error"})
_OURS = frozenset({
    "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_grant_type",
})  # fmt: skip
# What tells an operator and the vendor's support which refusal it was.
_TOLD = {"code", "status", "reason", "domain", "date", "request-id", "client-request-id"}
_CODE = re.compile(r"[A-Za-z][A-Za-z_.]{0,63}|\d{3}|[0-9a-f-]{36}|\d{4}-\d\d-\d\dT[\d:.]+Z?")


def body_of(response: requests.Response) -> Any:
    """Returns the answer's JSON; {} where it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):  # RecursionError: some thousand brackets
        return {}


def is_foreign(response: requests.Response, body: Any) -> bool:
    """Returns whether a refusal is not in the vendor's own words: a proxy, or the sign-in page of a network, knows
    nothing of an account or a record. (What asks for a token, to wait or to come back says enough by its status.)"""
    refused = response.status_code >= 400 and response.status_code not in (401, 408, 410, 429, 509)
    return refused and not (isinstance(body, dict) and body.keys() & {"error", "fault", "Fault"})


def detail_of(body: Any) -> str:
    """Returns the vendor's own text as it may be kept: without secrets, and no longer than somebody reads."""
    return redact(json.dumps(body, ensure_ascii=False)[:4000])[:1000] if body else ""


def codes_of(body: Any) -> str:
    """Returns the codes of a vendor's refusal, without a word of what it says: of somebody else's event it may say
    anything."""
    return " ".join(dict.fromkeys(_codes(body, 10)))[:1000]


def _codes(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth:
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _codes(inner, depth - 1)
            elif name.casefold() in _TOLD and _CODE.fullmatch(str(inner)):
                yield str(inner)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _codes(inner, depth - 1)


def without_words(error: errors.ProviderError, body: Any) -> errors.ProviderError:
    """Returns the error with the codes alone as its detail, unless it is about our app or a token."""
    if not isinstance(error, errors.Misconfigured) and not (
        isinstance(body, dict) and isinstance(body.get("error"), str)
    ):
        error.detail = codes_of(body)
    return error


def unavailable(service: str, detail: str) -> errors.Unavailable:
    """Builds what a vendor's own trouble is called."""
    return errors.Unavailable(f"{service} is not answering properly at the moment.", detail=detail)


@dataclass(frozen=True, slots=True)
class TokenFaults:
    """A token endpoint's refusals. `service` is what people know the vendor for, `credentials` what an operator has to
    look at, `accounts` what stays connected; `retry` and `ours` are codes of the vendor's own for what passes, and for
    what is our app's fault."""

    vendor: str
    service: str
    credentials: str
    accounts: str = "accounts"
    retry: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()

    def explain(self, status: int, code: str, detail: str, reconnect: str = "") -> errors.ProviderError:
        """Returns what the refusal means; `reconnect` is what the person is told, where this code ends the grant."""
        if status >= 500 or status in (408, 429) or code in _RETRY | self.retry:
            return unavailable(self.service, detail)
        if reconnect:
            return errors.NeedsReconnect(reconnect, detail=detail)  # proven by who has asked the token endpoint
        known = code in _OURS | self.ours
        words = "refuses FieldCamp's own credentials" if known else "refused the request for a token"
        return errors.Misconfigured(
            f"{self.vendor} {words}. An operator has to check {self.credentials}; {self.accounts} stay connected.",
            detail=detail,
        )
