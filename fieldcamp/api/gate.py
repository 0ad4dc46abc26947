"""The one judgement of keys: whether a key may be used, and what it may do to keys. A person's role is the desk's.

Three things say how much a key may do: its scopes, its calls a minute, its end. A key does nothing to a key that may do
more than itself: with the other's secret it would have that power. And a key that was made by a key never may do more
than its maker, whatever becomes of the maker (`reduced`).
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES

PER_MINUTE = 100
# A key that makes its own new secret keeps the old one so long, for the case that the answer is lost.
OWN_OVERLAP = dt.timedelta(hours=1)
MOST_MAKERS = 8  # each call counts in the minutes of all of them


class Deed(StrEnum):
    """What can be done to a key by a key."""

    CREATE = "create"
    RENAME = "rename"
    CHANGE = "change"
    ROTATE = "rotate"
    REVOKE = "revoke"


def per_minute(key: ApiKey) -> int:
    """Returns how many calls a minute the key has."""
    return PER_MINUTE if key.rate_limit_override is None else key.rate_limit_override


def may_be_used(key: ApiKey, makers: Iterable[ApiKey], now: dt.datetime) -> bool:
    """Returns whether calls with the key are answered: neither it nor a key that it comes from has ended."""
    return not any(each.revoked_at or (each.expires_at and each.expires_at <= now) for each in (key, *makers))


def check(deed: Deed, by: ApiKey, key: ApiKey, makers: Iterable[ApiKey], overlap: dt.timedelta | None = None) -> None:
    """Raises an `ApiError` for what the key `by` may not do to `key`. An edit is asked about before and after.

    `makers` are the keys that `by` comes from, its own maker first. `overlap` is how long a rotated secret lasts on.
    """
    makers = list(makers)
    if by.used_previous_secret:
        # Else whoever found the old secret could make itself a new one, or a key that outlives it.
        raise _refused("This key has a newer secret already. What is done to keys needs that one.")
    if deed is Deed.CREATE and len(makers) >= MOST_MAKERS:
        raise _refused(f"The key in use comes from {MOST_MAKERS} others in a row. Make keys with one of those.")
    if key.pk in {maker.pk for maker in makers}:
        raise _refused("The key in use was made with this one, so it does nothing to it. Use another key.")
    if by.pk == key.pk:
        _check_own(deed, overlap)
    for limit in LIMITS:
        if limit.exceeds(key, by):
            raise limit.refusal(key, by)


def exceeds(key: ApiKey, than: ApiKey) -> bool:
    """Returns whether the key may do more than the other."""
    return any(limit.exceeds(key, than) for limit in LIMITS)


def reduced(key: ApiKey, maker: ApiKey) -> dict[str, Any]:
    """Returns the fields to change so that the key may do no more than its maker; none: it does not."""
    return {limit.field: limit.within(key, maker) for limit in LIMITS if limit.exceeds(key, maker)}


def _refused(message: str) -> ApiError:
    return ApiError("INVALID_TRANSITION", message)


def _check_own(deed: Deed, overlap: dt.timedelta | None) -> None:
    if deed is Deed.REVOKE:
        raise _refused("A key does not revoke itself. Use another key, or the admin.")
    if deed is Deed.CHANGE:
        raise _refused("A key changes nothing of itself but its name. Use another key.")
    if deed is Deed.ROTATE and overlap is not None and overlap < OWN_OVERLAP:
        least = int(OWN_OVERLAP.total_seconds())
        raise validation_error({"overlapSeconds": [f"At least {least} when a key makes its own new secret."]})


@dataclass(frozen=True)
class Limit:
    """One thing that a key may have more of than another."""

    field: str
    exceeds: Callable[[ApiKey, ApiKey], bool]
    within: Callable[[ApiKey, ApiKey], Any]  # the field's value, where the first may do no more than the second
    refusal: Callable[[ApiKey, ApiKey], ApiError]


def _beyond(key: ApiKey, than: ApiKey) -> list[str]:
    return [scope for scope in key.scopes if scope in SCOPES and scope not in than.scopes]


def _lacking(key: ApiKey, by: ApiKey) -> ApiError:
    scope = _beyond(key, by)[0]
    return ApiError(
        "INSUFFICIENT_SCOPE",
        f"This API key lacks the scope {scope}, so it can neither grant it nor handle a key that has it.",
        details={"required_scope": scope},
    )


def _ends_later(key: ApiKey, than: ApiKey) -> bool:
    return than.expires_at is not None and (key.expires_at is None or key.expires_at > than.expires_at)


def _too_late(key: ApiKey, by: ApiKey) -> ApiError:
    end = f"{by.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    return validation_error({"expiresAt": [f"At the latest {end}, when the key in use ends."]})


def _too_fast(key: ApiKey, by: ApiKey) -> ApiError:
    return validation_error({"rateLimitOverride": [f"At most {per_minute(by)}, which is the limit of the key in use."]})


LIMITS = (
    Limit("scopes", lambda k, o: bool(_beyond(k, o)), lambda k, o: [s for s in k.scopes if s in o.scopes], _lacking),
    Limit("expires_at", _ends_later, lambda k, o: o.expires_at, _too_late),
    Limit("rate_limit_override", lambda k, o: per_minute(k) > per_minute(o), lambda k, o: per_minute(o), _too_fast),
)
