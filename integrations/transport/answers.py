"""Reading what came back."""

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from integrations.errors import Unavailable


def json_object(response: requests.Response) -> dict[str, Any]:
    """Returns the answer's JSON object. Anything else comes from a proxy in between: Unavailable."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unavailable("The provider's answer was not what it should be.", detail=str(response.status_code))
    return body


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds, whole or not, or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), 86_400.0) if seconds == seconds else None
