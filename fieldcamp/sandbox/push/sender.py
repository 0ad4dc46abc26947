"""What a vendor that pushes brings: who is told of a change, how it is worded, and how often it is tried."""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from fieldcamp.sandbox.push.queue import Message
from fieldcamp.sandbox.push.wire import Answer, Post


@dataclass(frozen=True)
class Noted:
    """What a store says of one of its writes. `topic` is whose channels are told, `rows` how many records it is
    about."""

    vendor: str
    topic: str
    what: Any = None
    rows: int = 1


class Sender(Protocol):
    """One vendor's part. All but `post` is called inside a transaction."""

    vendor: str
    most: int  # messages in one post

    def changed(self, noted: list[Noted]) -> None:
        """Queues the messages about the changes of one transaction."""

    def tick(self) -> float | None:
        """Does what is due by the clock alone; when it wants to be asked again."""

    def mixed(self) -> bool:
        """Whether a post may be about several accounts."""

    def post(self, messages: list[Message]) -> Post | None:
        """The post with these messages; None when there is nobody left to tell."""

    def accepts(self, answer: Answer) -> bool:
        """Whether the answer means that the messages have arrived."""

    def again(self, messages: list[Message], answer: Answer, at: float) -> float | None:
        """In how many seconds it is tried again after a failure at that moment; None: never."""

    def answered(self, messages: list[Message], answer: Answer) -> None:
        """Takes note of an answer, whatever it was."""

    def shown(self, account: str | None) -> list[dict[str, Any]]:
        """The channels, as `/_control/channels` lists them."""

    def say(self, account: str | None, kind: str, times: int) -> int:
        """Does what `/_control/push` orders at once: `forge`, `unknown_channel`, `late_after_stop`, `silent_expire`,
        `test`, or a lifecycle notice by its name. How many it was; BadInput where that cannot be."""


def chance(*parts: object) -> float:
    """A number from 0 to 1 that depends on the parts alone: what looks random here is the same in every run."""
    digest = hashlib.sha256(" ".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
