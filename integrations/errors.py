"""What can go wrong with a provider. Each error carries its fate: who has to act, and what becomes of the work.

Admin and API show the same sentence (`str(error)`); a vendor's raw text is `detail`, to unfold, never the message.
"""

import datetime as dt


class ProviderError(Exception):
    """The root. `code` is one of the codes of `errors[]` (docs/errors.md); `detail` the vendor's own text, redacted;
    `reason` a word for what exactly is wrong, where the desk knows a way out of it (`closed_period`)."""

    code = "INTERNAL_ERROR"

    def __init__(self, message: str, *, detail: str = "", reason: str = ""):
        super().__init__(message)
        self.detail, self.reason = detail, reason


class Transient(ProviderError):
    """It may work later, unchanged."""

    code = "PROVIDER_UNAVAILABLE"


class Unavailable(Transient):
    """The provider did not answer, or answered that it is ill (5xx). A write may or may not have been done."""


class Suspended(Transient):
    """The account takes no writes at present, such as a company whose subscription has lapsed. None was done."""


class RateLimited(Transient):
    """Too many calls. `retry_at` (aware, UTC) is when to come back; `told`: the provider has named that time."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_at: dt.datetime, detail: str = "", told: bool = False):
        super().__init__(message, detail=detail)
        self.retry_at, self.told = retry_at, told


class NeedsReconnect(ProviderError):
    """The user's grant is dead; only the user can renew it."""

    code = "NEEDS_RECONNECT"


class NeedsPermission(ProviderError):
    """The grant lives but lacks permissions; `missing` names them."""

    code = "NEEDS_PERMISSION"

    def __init__(self, message: str, *, missing: tuple[str, ...] = (), detail: str = ""):
        super().__init__(message, detail=detail)
        self.missing = missing


class Misconfigured(ProviderError):
    """The operator's fault (client secret, API not enabled); users stay connected."""

    code = "MISCONFIGURED"


class Rejected(ProviderError):
    """The provider refuses this record as it is; parked until it is edited."""

    code = "RECORD_REJECTED"


class Stale(ProviderError):
    """The remote record has moved on since we looked (412): look at that one again."""

    code = "CONFLICT"


class Gone(ProviderError):
    """The remote record does not exist any more."""


class Duplicate(ProviderError):
    """A record with this id exists already: look whether it is ours."""


class CursorExpired(ProviderError):
    """The provider forgot what we have seen; only a full read helps."""

    code = "FULL_SYNC_FORCED"
