"""Google's push messages: an empty post whose headers say which channel it is for, and that something has changed.

https://developers.google.com/workspace/calendar/api/guides/push
"""

import json
import uuid
from dataclasses import replace
from typing import Any
from wsgiref.handlers import format_date_time

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.push.channels import LIVE, LOST, STOPPED, Channel, Channels
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.push.queue import CHANGE, Message
from fieldcamp.sandbox.push.sender import Noted, chance
from fieldcamp.sandbox.push.wire import Answer, Post

VENDOR = "google"
AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"
TAKEN = (102, 200, 201, 202, 204)
TRIED_AGAIN = (500, 502, 503, 504)
# How long Google waits and when it tries again is published nowhere.
ANSWER_SECONDS = 10.0
GAPS = (10, 30, 90, 300, 900, 3600, 3600)
LARGEST_GAP = 7  # between two message numbers
SYNC = "sync"
# What `/_control/switches` sets, and what holds until then.
SWITCHES: dict[str, tuple[type | tuple[type, ...], Any]] = {
    "push_unverified": (bool, False),  # nobody has verified that the receivers' domain is the app's
    "push_twice": ((int, float), 0.2),  # how many changes make two messages, from 0 to 1
    "push_sync_first": (bool, None),  # the `sync` message comes before the answer; by itself in every third case
    "push_stragglers": (int, 0),  # messages that still come after a channel was stopped, up to 3
}


def switch(pushes: Pushes, values: dict[str, Any]) -> None:
    """Sets switches of pushing; BadInput for a value that one cannot have."""
    for name, value in values.items():
        kinds = SWITCHES[name][0]
        most = 3 if name == "push_stragglers" else 1
        number = isinstance(value, int | float) and 0 <= value <= most
        ok = number and isinstance(value, kinds) and isinstance(value, bool) == (kinds is bool)
        if value is not None and not ok:
            raise BadInput(f"{name} must be {'true or false' if kinds is bool else f'a number from 0 to {most}'}.")
    kept = {name: value for name, value in (switches(pushes) | values).items() if value is not None}
    pushes.state.put("google: push", json.dumps(kept))


def switches(pushes: Pushes) -> dict[str, Any]:
    """The switches of pushing as they are."""
    known = {name: default for name, (_, default) in SWITCHES.items()}
    return known | json.loads(pushes.state.get("google: push") or "{}")


class GooglePush:
    """Implements `fieldcamp.sandbox.push.sender.Sender`."""

    vendor = VENDOR
    most = 1

    def __init__(self, pushes: Pushes) -> None:
        self.pushes, self.state = pushes, pushes.state
        self.channels = Channels(pushes.state, VENDOR)

    def open(self, **values: Any) -> tuple[Channel, Message]:
        """A new channel (`Channels.open` says of what), and the message that says so."""
        channel = self.channels.open(**values)
        number = self.channels.step(channel, 1)
        return channel, self.pushes.queue.add(_message(channel, number, SYNC, kind=SYNC))

    def stop(self, channel: Channel) -> None:
        """The channel is silent from now on; messages that were on their way may still come."""
        ended = self.channels.end(channel, STOPPED)
        for _ in range(switches(self.pushes)["push_stragglers"]):
            self._straggle(ended)

    def changed(self, noted: list[Noted]) -> None:
        """One message for every hundred records of a change, and sometimes one more."""
        for topic in dict.fromkeys(each.topic for each in noted):
            mine = [each for each in noted if each.topic == topic]
            rows, step = sum(each.rows for each in mine), self.pushes.rows_per_push
            if not rows or not step:
                continue
            gone = any(each.what == "gone" for each in mine)
            for channel in self.channels.live(topic):
                count = -(-rows // step) * self.pushes.orders.copies(VENDOR, channel.account)
                for _ in range(count):
                    number = self._tell(channel, "not_exists" if gone else "exists")
                    if chance("twice", channel.details["resource_id"], number) < switches(self.pushes)["push_twice"]:
                        self._tell(channel, "not_exists" if gone else "exists")

    def tick(self) -> float | None:
        """Nothing here happens by the clock alone."""
        return None

    def mixed(self) -> bool:
        """Each message is a post of its own."""
        return False

    def post(self, messages: list[Message]) -> Post | None:
        """The post; None once the channel is over."""
        (message,) = messages
        said, moment = message.payload, message.due or 0.0
        channel = self.channels.get(message.channel)
        over = channel is not None and channel.ended_at is not None and channel.ended_at <= moment
        if over and not said.get("late"):
            return None
        headers = {
            "User-Agent": AGENT,
            "Accept": "*/*",
            "X-Goog-Channel-ID": message.channel,
            "X-Goog-Channel-Expiration": format_date_time(said["expires_at"]),
            "X-Goog-Resource-State": said["state"],
            "X-Goog-Message-Number": str(said["number"]),
            "X-Goog-Resource-ID": said["resource_id"],
            "X-Goog-Resource-URI": said["resource_uri"],
        }
        if said["token"]:
            headers["X-Goog-Channel-Token"] = said["token"]
        return Post(message.url, headers, b"", ANSWER_SECONDS)

    def accepts(self, answer: Answer) -> bool:
        """https://developers.google.com/workspace/calendar/api/guides/push#responding-to-notifications"""
        return answer.status in TAKEN

    def again(self, messages: list[Message], answer: Answer, at: float) -> float | None:
        """Only after these four is it tried again; whatever else comes, or nothing, the message is lost."""
        tries = messages[0].attempts
        return float(GAPS[tries]) if answer.status in TRIED_AGAIN and tries < len(GAPS) else None

    def answered(self, messages: list[Message], answer: Answer) -> None:
        """Google keeps no list of slow receivers that anybody knows of."""

    def shown(self, account: str | None) -> list[dict[str, Any]]:
        """All channels that ever were."""
        return self.channels.shown(account)

    def say(self, account: str | None, kind: str, times: int) -> int:
        """Messages with a wrong token, of no channel, of one that was stopped; or a channel ends in silence."""
        if kind == "silent_expire":
            ended = [each for each in self.channels.all_live() if account in (None, each.account)]
            for each in ended:
                self.channels.end(each, LOST)
            return len(ended)
        wanted = STOPPED if kind == "late_after_stop" else LIVE
        if kind not in ("forge", "unknown_channel", "late_after_stop"):
            raise BadInput(f"Google's pushes know no {kind!r}.")
        channel = self.channels.newest(wanted, account)
        if channel is None:
            raise BadInput(f"There is no {wanted} channel.")
        for _ in range(times):
            if kind == "late_after_stop":
                self._straggle(channel)
                continue
            made = _message(channel, channel.number + 1, "exists", kind=kind)
            if kind == "forge":
                made = replace(made, payload=made.payload | {"token": uuid.uuid4().hex})
            else:
                unknown = str(uuid.uuid4())
                made = replace(made, lane=unknown, channel=unknown)
            self.pushes.queue.add(made)
        return times

    def _tell(self, channel: Channel, state: str) -> int:
        """Queues a message; its number, which lies some way behind the one before."""
        gap = chance("gap", channel.details["resource_id"], self.channels.step(channel, 0)) * LARGEST_GAP
        number = self.channels.step(channel, 1 + int(gap))
        self.pushes.orders.send(_message(channel, number, state))
        return number

    def _straggle(self, channel: Channel) -> None:
        made = _message(channel, self.channels.step(channel, 1), "exists", kind="late")
        self.pushes.queue.add(replace(made, payload=made.payload | {"late": True}))


def expiration_ms(channel: Channel) -> str:
    """When the channel ends as the API says it: milliseconds since 1970, as a text."""
    return str(int((channel.expires_at or 0.0) * 1000))


def _message(channel: Channel, number: int, state: str, kind: str = CHANGE) -> Message:
    payload = {
        "state": state,
        "number": number,
        "token": channel.details["token"],
        "resource_id": channel.details["resource_id"],
        "resource_uri": channel.details["resource_uri"],
        "expires_at": channel.expires_at,
    }
    return Message(VENDOR, channel.id, channel.id, channel.account, channel.url, payload, kind)
