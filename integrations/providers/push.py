"""How a vendor tells that something has changed, as each provider declares it (`Provider.push`).

Two forms: channels, which are opened for each calendar and have to be renewed, and one address of the whole app, which
an operator enters at the vendor. Both come as posts to `/push/<address>`. Nothing here believes or does anything: a
provider reads what was posted, `integrations.push.receiving` judges it.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from integrations.errors import Misconfigured, Rejected, Subject
from integrations.transport.answers import Asks


class NoticeKind(StrEnum):
    """What a notice says. All but `CHANGED` are about the channel itself."""

    CHANGED = "changed"  # something in what is watched has changed
    OPENED = "opened"  # the channel works; nothing has changed
    REAUTHORIZE = "reauthorize"  # it ends soon unless it is renewed
    REMOVED = "removed"  # it has ended
    MISSED = "missed"  # notices were lost


@dataclass(frozen=True, slots=True)
class PostedPush:
    """One post as it came: header names in small letters, the query, the body's bytes."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class PushNotice:
    """One item of a post, which proves nothing yet.

    About a channel: `channel_id` is ours, `secret` what was agreed for it, `resource_id` the vendor's name for what is
    watched. Of an app's one address, whose signature was found right: `account_id` is the account at the vendor, and
    `record_kinds` the kinds of records concerned (`integrations.kinds`; empty: all of them). `told` is the vendor's own
    word for it, kept for the desk, `message_id` the message's name, by which a repeated one is known ("": none).
    """

    kind: NoticeKind
    told: str
    channel_id: str = ""
    secret: str = field(default="", repr=False)
    resource_id: str = ""
    account_id: str = ""
    record_kinds: tuple[str, ...] = ()
    message_id: str = ""


class NotBelieved(Exception):
    """A post of an app's one address whose signature is missing or wrong: answered with 403, and no more."""


@dataclass(frozen=True, slots=True)
class WantedChannel:
    """A channel that is to be opened: our id and secret for it, where the vendor posts to, what is watched."""

    channel_id: str
    secret: str = field(repr=False)
    url: str
    container_id: str


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """What a vendor has granted: its name for what is watched (or for the channel), and when that ends."""

    resource_id: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HeldChannel:
    """A channel as we know it; `resource_id` is "" where the vendor's answer was lost."""

    channel_id: str
    resource_id: str
    container_id: str


class PushUnsupported(Rejected):
    """The vendor tells nothing of this container, whatever is asked. `certain`: it says so in as many words."""

    about = Subject.CONTAINER

    def __init__(self, message: str, *, certain: bool, detail: str = ""):
        super().__init__(message, detail=detail)
        self.certain = certain


class PushMisconfigured(Misconfigured):
    """The vendor does not take our address: the operator's fault, and the same for every account. `fault` is the
    vendor's word for it."""

    def __init__(self, message: str, *, fault: str, detail: str = ""):
        super().__init__(message, detail=detail)
        self.fault = fault


class ChannelApi(Protocol):
    """One account's channels. Every method may raise any `ProviderError`, and `open` the two above."""

    def open(self, wanted: WantedChannel) -> OpenedChannel:
        """Has changes of the container posted to us from now on."""

    def extend(self, held: HeldChannel) -> OpenedChannel | None:
        """Makes the channel last longer; None where it cannot: another is opened in its place. Raises `Gone` where the
        vendor does not know it."""

    def stop(self, held: HeldChannel) -> None:
        """Ends it; what is not there any more has ended, too."""

    def strays(self, url: str, lost: HeldChannel, known: Callable[[Sequence[str]], set[str]]) -> list[HeldChannel]:
        """Returns what an opening that was not answered may have left there. `lost` has our id for it, and the
        `resource_id` of another channel of the same container; `known` says which of some resource ids are ours."""


@dataclass(frozen=True, slots=True)
class PushSource:
    """How one vendor pushes. `address` is the last part of the address that is posted to.

    `challenge` returns what a handshake wants back, byte for byte; None where a post is none. `channels` is None for
    what an operator enters at the vendor. A channel is renewed after a share of its life that lies in `renew_after`.
    `until_token_ends`: it pushes no longer than the access token lasts with which it was opened or renewed. `taken` is
    the status of the answer to whatever was received. `read` may raise `NotBelieved`, and is read no further than is
    taken: it makes one notice after the other.

    So long after a change a push is `late_after`; of the kinds `never_told` there are none. `scheduled_every` is how
    often accounts whose pushes come are read by the schedule, where that is cheaper; None: as all others.
    """

    address: str
    read: Callable[[PostedPush], Iterable[PushNotice]]
    challenge: Callable[[PostedPush], str | None] = lambda _posted: None
    channels: Callable[[Asks], ChannelApi] | None = None
    renew_after: tuple[float, float] = (0.70, 0.85)
    until_token_ends: bool = False
    taken: int = 200
    late_after: dt.timedelta = dt.timedelta(minutes=10)
    never_told: frozenset[str] = frozenset()
    scheduled_every: dt.timedelta | None = None
    usable: Callable[[], bool] = lambda: True  # whether what it takes is configured; else the address is not there
