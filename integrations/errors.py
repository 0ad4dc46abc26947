"""What can go wrong with a provider. Each error carries its fate: who has to act, and what becomes of the work.

Admin and API show the same sentence (`str(error)`); a vendor's raw text is `detail`, to unfold, never the message.
"""

import datetime as dt
from enum import StrEnum


class ProblemCode(StrEnum):
    """The codes of problems, as `errors[]` of jobs and status name them (docs/errors.md)."""

    INTERNAL_ERROR = "INTERNAL_ERROR"
    MISCONFIGURED = "MISCONFIGURED"
    NEEDS_RECONNECT = "NEEDS_RECONNECT"
    NEEDS_PERMISSION = "NEEDS_PERMISSION"
    RATE_LIMITED = "RATE_LIMITED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    FULL_SYNC_FORCED = "FULL_SYNC_FORCED"
    CONFIRMATION_NEEDED = "CONFIRMATION_NEEDED"
    CONFLICT = "CONFLICT"
    RECORD_REJECTED = "RECORD_REJECTED"
    CALENDAR_UNAVAILABLE = "CALENDAR_UNAVAILABLE"
    MEMBER_INACTIVE = "MEMBER_INACTIVE"
    AMOUNT_VARIANCE = "AMOUNT_VARIANCE"
    EVENT_REMOVED = "EVENT_REMOVED"
    RECORD_REMOVED = "RECORD_REMOVED"
    RECORD_UNREADABLE = "RECORD_UNREADABLE"
    WAITING_FOR_GONE = "WAITING_FOR_GONE"
    POSSIBLE_DUPLICATE = "POSSIBLE_DUPLICATE"


# In `errors[]` of a job alone, where a plan was not applied as it was made: there is no problem to open of it.
PRECONDITION_FAILED = "PRECONDITION_FAILED"


class ProblemReason(StrEnum):
    """What exactly is wrong with a record, where a way out of it is known (`services/problems/fix_reasons.py`)."""

    MATCH = "match"
    DUPLICATE_NAME = "duplicate_name"
    NAME_TAKEN_BY_VENDOR = "name_taken_by_vendor"
    NAME_TAKEN_BY_EMPLOYEE = "name_taken_by_employee"
    DUPLICATE_NUMBER = "duplicate_number"
    INACTIVE_REFERENCE = "inactive_reference"
    CLOSED_PERIOD = "closed_period"
    DEPOSITED = "deposited"
    SETTLED = "settled"
    HAS_PAYMENTS = "has_payments"
    TAX_MAPPING = "tax_mapping"
    ITEM_MAPPING = "item_mapping"
    CURRENCY = "currency"
    SUBSCRIPTION = "subscription"
    LIMITS = "limits"
    HOLDS_MORE = "holds_more"
    UNREADABLE = "unreadable"
    OVER_APPLIED = "over_applied"
    VARIANCE = "variance"
    MOVED = "moved"
    MOVED_FAR = "moved_far"
    MERGED = "merged"
    MERGED_HERE = "merged_here"
    GROSS_PRICE = "gross_price"
    CATEGORY = "category"
    EMAIL = "email"
    WAITING = "waiting"
    INTERNAL = "internal"


class Subject(StrEnum):
    """What an error is about, and so what waits for it. A record's waits until that record is edited; what is a whole
    container's (a calendar, a kind of the books' records), an account's or the installation's is the fault of no
    record: nothing is parked for it, and the next run tries again what has waited."""

    RECORD = "record"
    CONTAINER = "container"
    ACCOUNT = "account"
    APP = "app"


class ProviderError(Exception):
    """The root. `about` says what is wrong, `code` is one of the codes of `errors[]` (docs/errors.md); `detail` the
    vendor's own text, redacted; `reason` a word for what exactly is wrong, where the desk knows a way out of it
    (`closed_period`)."""

    code = ProblemCode.INTERNAL_ERROR
    about = Subject.RECORD

    def __init__(self, message: str, *, detail: str = "", reason: ProblemReason | None = None):
        super().__init__(message)
        self.detail, self.reason = detail, reason


class Transient(ProviderError):
    """It may work later, unchanged."""

    code = ProblemCode.PROVIDER_UNAVAILABLE
    about = Subject.ACCOUNT


class Unavailable(Transient):
    """The provider did not answer, or answered that it is ill (5xx). A write may or may not have been done."""

    about = Subject.CONTAINER  # as far as one call shows; what all of them meet is the account's


class TimedOut(Unavailable):
    """The provider was waited for as long as it may take. It is looked whether a write was done, before it is sent
    again."""


class Endless(Unavailable):
    """A list that brings nothing new and does not end. `restart` is the cursor from which it is begun anew."""

    restart = ""


class AccessRefused(Unavailable):
    """The provider does not accept a token that was renewed just now: its own trouble, as far as one answer shows.
    `verdict` is what it means where that lasts."""

    about = Subject.ACCOUNT

    def __init__(self, message: str, *, verdict: "NeedsReconnect | None" = None):
        super().__init__(message, detail=verdict.detail if verdict else "")
        self.verdict = verdict or NeedsReconnect("The access is not accepted any more. Reconnect the account.")


class ContainerMissing(Unavailable):
    """A calendar was not there, once: that is no proof yet."""


class Suspended(Transient):
    """The account takes no writes at present, such as a company whose subscription has lapsed. None was done."""


class MailboxUnavailable(Transient):
    """The account has no calendars that can be reached at present: no licence, or a mailbox on a server elsewhere."""

    code = ProblemCode.CALENDAR_UNAVAILABLE


class RateLimited(Transient):
    """Too many calls. `retry_at` (aware, UTC) is when to come back; `explicit`: the provider has named that time."""

    code = ProblemCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_at: dt.datetime, detail: str = "", explicit: bool = False):
        super().__init__(message, detail=detail)
        self.retry_at, self.explicit = retry_at, explicit


class AllowanceSpent(RateLimited):
    """The calls that this account may be billed for in a day are used up. No call was made, and none is until
    `retry_at`."""

    def __init__(self, message: str, *, retry_at: dt.datetime):
        super().__init__(message, retry_at=retry_at, explicit=True)


class NeedsReconnect(ProviderError):
    """The user's grant is dead; only the user can renew it. `proven`: the token endpoint has said so, whose word is
    final; what an API says may be its own trouble, and is believed when it lasts (`accounts.state`)."""

    code = ProblemCode.NEEDS_RECONNECT
    about = Subject.ACCOUNT

    def __init__(self, message: str, *, detail: str = "", proven: bool = False):
        super().__init__(message, detail=detail)
        self.proven = proven


class NeedsPermission(ProviderError):
    """The grant lives but lacks permissions; `missing` names them. `proven` as with `NeedsReconnect`."""

    code = ProblemCode.NEEDS_PERMISSION
    about = Subject.ACCOUNT

    def __init__(self, message: str, *, missing: tuple[str, ...] = (), detail: str = "", proven: bool = False):
        super().__init__(message, detail=detail)
        self.missing, self.proven = missing, proven


class Misconfigured(ProviderError):
    """The operator's fault (client secret, API not enabled); users stay connected."""

    code = ProblemCode.MISCONFIGURED
    about = Subject.APP


class Rejected(ProviderError):
    """The provider refuses this record as it is; parked until it is edited."""

    code = ProblemCode.RECORD_REJECTED


class ContainerUnavailable(ProviderError):
    """The calendar cannot be used at present, whatever the record: it may only be read, or its mailbox is full. No
    record is at fault; what waits for it is tried by each run. `doubtful`: the provider says the same of a single
    record that it refuses, so it is one's where others are taken. `only_creates`: it refuses what is new alone, and
    takes changes of what is there, and its removal."""

    code = ProblemCode.CALENDAR_UNAVAILABLE
    about = Subject.CONTAINER
    only_creates = False

    def __init__(self, message: str, *, detail: str = "", doubtful: bool = False, reason: ProblemReason | None = None):
        super().__init__(message, detail=detail, reason=reason)
        self.doubtful = doubtful


class SettingMissing(ContainerUnavailable):
    """Nothing new can be written to this container before a person has chosen something for all of it."""

    code = ProblemCode.RECORD_REJECTED
    only_creates = True


class ContainerGone(ContainerUnavailable):
    """The calendar is not there, or the account has lost access to it: nothing can be said of what is in it."""


class Stale(ProviderError):
    """The remote record has moved on since we looked (412): look at that one again."""

    code = ProblemCode.CONFLICT


class Gone(ProviderError):
    """The remote record does not exist any more."""


class Duplicate(ProviderError):
    """A record with this id exists already: look whether it is ours."""


class CursorExpired(ProviderError):
    """The provider forgot what we have seen; only a full read helps."""

    code = ProblemCode.FULL_SYNC_FORCED
    about = Subject.CONTAINER


class MemberInactive(ProviderError):
    """The person whose account it is does not work here any more: nothing of it is read or written."""

    code = ProblemCode.MEMBER_INACTIVE
    about = Subject.ACCOUNT
