"""What came of a call: the answer, or the error that its status means."""

import datetime as dt
from collections.abc import Callable

import requests

from integrations.errors import AccessRefused, NeedsReconnect, ProviderError, RateLimited, Unavailable
from integrations.transport.answers import retry_after
from integrations.transport.vendor import Vendor

WAIT_CAP = 5.0  # seconds; who is asked to wait longer comes back later


def checked(
    provider: Vendor, response: requests.Response, whole: Callable[[requests.Response], object], now: dt.datetime
) -> requests.Response:
    """Returns an answer of 2xx that `whole` has nothing against. Raises what any other means.

    Neither an interim answer (1xx, such as a switch of protocols that nobody has asked for) nor a redirect is one.
    """
    if response.status_code < 200:
        raise Unavailable(f"{provider.label} sent an interim answer and no other.", detail=str(response.status_code))
    if 300 <= response.status_code < 400:
        raise Unavailable(f"{provider.label} answered with a redirect.", detail=str(response.status_code))
    if response.status_code >= 400:
        error = provider.explain(response, now)
        wait = retry_after(response.headers.get("Retry-After"), now)
        if isinstance(error, RateLimited) and wait is not None:
            error.retry_at, error.explicit = max(error.retry_at, now + dt.timedelta(seconds=wait)), True
        elif isinstance(error, Unavailable) and wait is not None and wait > WAIT_CAP:
            retry_at = now + dt.timedelta(seconds=wait)
            # The status stands in front: that the vendor is down, and not we too many, is told from it later.
            detail = f"{response.status_code} {error.detail}".strip()
            error = RateLimited(str(error), retry_at=retry_at, detail=detail, explicit=True)
        raise error
    whole(response)
    return response


def refused_although_renewed(provider: Vendor, response: requests.Response, now: dt.datetime) -> ProviderError:
    """Returns what it means that a token is refused which was renewed just now."""
    said = response.status_code if response.status_code >= 400 else 401
    error = provider.explain(response, now) if said == response.status_code else None
    if error is not None and not isinstance(error, NeedsReconnect):
        return error
    return AccessRefused(
        f"{provider.label} does not accept FieldCamp's access at the moment, although it was renewed just "
        "now. It is tried again by itself.",
        verdict=error,
    )
