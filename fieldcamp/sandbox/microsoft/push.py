"""Graph's change notices: posts with a list of items, of all subscriptions of an app that share a receiver.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.microsoft.hosts import DROP, SLOW, SLOW_SECONDS, Hosts
from fieldcamp.sandbox.push.channels import LIVE, LOST, REMOVED, STOPPED, Channel, Channels
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.push.queue import CHANGE, Message
from fieldcamp.sandbox.push.sender import Noted, chance
from fieldcamp.sandbox.push.wire import Answer, Post, host_of

VENDOR = "microsoft"
TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all personal accounts
ANSWER_SECONDS = 3.0
TRIED_SECONDS = 4 * 3600.0
FIRST_GAP, LONGEST_GAP = 10.0, 3600.0
REMINDER_SECONDS = 15 * 60.0
UNAUTHORIZED = "unauthorized"
LIFECYCLE = "lifecycle"
EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")
MOST = 20
OFFSETS = (None, timedelta(0), timedelta(hours=5, minutes=30))  # "Z", "+00:00", "+05:30"
# What `/_control/switches` sets, and what holds until then.
SWITCHES: dict[str, Any] = {
    "push_longest_minutes": 10_070,  # the longest life of a subscription; older tenants: 4,230
    "push_missed": True,  # notices that were dropped are followed by a `missed`
    "push_removed": True,  # the end of a grant is told by a `subscriptionRemoved`
}

# The event of that core as a mailbox's owner has it: its id and its etag; None where there is no such event.
Describe = Callable[[str, bytes, bool], tuple[str, str, str] | None]


def switch(pushes: Pushes, values: dict[str, Any]) -> dict[str, Any]:
    """Sets switches; all of them as they are then. BadInput for a value that one cannot have."""
    for name, value in values.items():
        if name not in SWITCHES:
            raise BadInput(f"Microsoft has the switches {', '.join(SWITCHES)}.")
        if value is not None and type(value) is not type(SWITCHES[name]):
            raise BadInput(f"{name} must be a {type(SWITCHES[name]).__name__}.")
        if name == "push_longest_minutes" and value is not None and not 45 <= value <= 100_000:
            raise BadInput("push_longest_minutes must be a number from 45 to 100000.")
    own = json.loads(pushes.state.get("microsoft: push") or "{}") | values
    pushes.state.put("microsoft: push", json.dumps({name: each for name, each in own.items() if each is not None}))
    return switches(pushes)


def switches(pushes: Pushes) -> dict[str, Any]:
    """The switches as they are."""
    return SWITCHES | json.loads(pushes.state.get("microsoft: push") or "{}")


class GraphPush:
    """Implements `fieldcamp.sandbox.push.sender.Sender`."""

    vendor = VENDOR
    most = MOST

    def __init__(self, pushes: Pushes, describe: Describe) -> None:
        self.pushes, self.state, self.describe = pushes, pushes.state, describe
        self.channels, self.hosts = Channels(pushes.state, VENDOR), Hosts(pushes.state, VENDOR)
        self._span: tuple[float, float] | None = None  # in which the clock alone brings nothing

    def changed(self, noted: list[Noted]) -> None:
        """An item for each event and subscription, of an edit up to three. Of many at once each hundredth is told."""
        for topic in dict.fromkeys(each.topic for each in noted):
            channels = self.channels.live(topic)
            if not channels:
                continue
            said: dict[bytes, str] = {}
            for each in noted:
                if each.topic == topic:
                    what, core = each.what
                    said[core] = "created" if said.get(core) == "created" and what == "updated" else what
            step = self.pushes.rows_per_push
            bulk = [core for core, what in said.items() if what == "bulk"]
            told = {core: what for core, what in said.items() if what != "bulk"}
            told |= dict.fromkeys(bulk[:: step or len(bulk) + 1], "created") if step else {}
            for channel in channels:
                for core, what in told.items():
                    self._tell(channel, core, what)

    def tick(self) -> float | None:
        """Reminds of access that ends, tells what was missed, and gives up what has waited for four hours."""
        now = self.state.now()
        if self._span is not None and self._span[0] <= now < self._span[1]:
            return self._span[1]
        moments = [now + 3600.0]
        for host in self.hosts.healed():
            self._tell_missed(host)
        until = self.hosts.soonest()
        moments += [until] if until is not None else []
        for channel in self.channels.all_live():
            moments.append(self._remind(channel, now))
        for message in self.pushes.queue.held(UNAUTHORIZED):
            if now - message.made_at > TRIED_SECONDS:
                self.pushes.queue.write([message], "lost", why="Nobody has renewed the access for four hours.")
                self.pushes.queue.remove([message])
            else:
                moments.append(message.made_at + TRIED_SECONDS + 1)
        self._span = (now, min(moments))
        return self._span[1]

    def forget(self) -> None:
        """Something has changed by which the clock brings other things."""
        self._span = None
        self.state.stir()

    def mixed(self) -> bool:
        """A post has items of all users of the app."""
        return True

    def post(self, messages: list[Message]) -> Post | None:
        """The post with those items whose subscriptions are still there."""
        items = []
        for each in messages:
            channel = self.channels.get(each.channel)
            ended = channel.ended_at if channel else None
            if each.payload.get("late") or ended is None or ended > (each.due or 0.0):
                items.append(each.payload["item"])
        if not items:
            return None
        body = json.dumps({"value": items}, separators=(",", ":")).encode()
        return Post(messages[0].url, {"Content-Type": "application/json; charset=utf-8"}, body, ANSWER_SECONDS)

    def accepts(self, answer: Answer) -> bool:
        """Any 2xx."""
        return 200 <= answer.status < 300

    def again(self, messages: list[Message], answer: Answer, at: float) -> float | None:
        """With growing gaps for up to four hours."""
        gap = min(FIRST_GAP * 2.0 ** min(messages[0].attempts, 20), LONGEST_GAP)
        since = min(each.made_at for each in messages)
        return gap if at + gap - since <= TRIED_SECONDS else None

    def answered(self, messages: list[Message], answer: Answer) -> None:
        """Counts slow answers of the receiver's host."""
        slow = answer.timed_out or answer.seconds > ANSWER_SECONDS
        if self.hosts.count(host_of(messages[0].url), slow):
            self.forget()

    def shown(self, account: str | None) -> list[dict[str, Any]]:
        """All subscriptions that ever were, with the moment up to which each is authorized."""
        with_more = [self.channels.get(each["channel"]) for each in self.channels.shown(account)]
        return [each.shown() | {"authorized_until": each.details["authorized_until"]} for each in with_more if each]

    def say(self, account: str | None, kind: str, times: int) -> int:
        """A lifecycle notice by its name; items with a wrong state, of no subscription, of one that is over."""
        live = [each for each in self.channels.all_live() if account in (None, each.account)]
        if kind == "silent_expire":
            for each in live:
                self.channels.end(each, LOST)
            return len(live)
        if kind in EVENTS:
            for each in live:
                ended = self.channels.end(each, REMOVED) if kind == "subscriptionRemoved" else each
                self.tell_lifecycle(ended, kind)
            return len(live)
        if kind not in ("forge", "unknown_channel", "late_after_stop"):
            raise BadInput(f"Microsoft's pushes know no {kind!r}.")
        wanted = STOPPED if kind == "late_after_stop" else LIVE
        channel = self.channels.newest(wanted, account)
        if channel is None:
            raise BadInput(f"There is no {wanted} subscription.")
        for _ in range(times):
            event_id, etag = f"AAMk{uuid.uuid4().hex}=", f'W/"{uuid.uuid4().hex}"'
            item = self._item(channel, "updated", event_id, etag, str(uuid.uuid4()))
            if kind == "forge":
                item |= {"clientState": uuid.uuid4().hex}
            elif kind == "unknown_channel":
                item |= {"subscriptionId": str(uuid.uuid4())}
            late = kind == "late_after_stop"
            # Beside what is true it goes out in the same post.
            self.pushes.queue.add(_message(channel, channel.url, CHANGE, {"item": item, "late": late}))
        return times

    def tell_lifecycle(self, channel: Channel, event: str) -> None:
        """https://learn.microsoft.com/graph/change-notifications-lifecycle-events"""
        url = channel.details["lifecycle_url"]
        if not url:
            return
        spelled = _spelled(channel.expires_at or 0.0, channel.id, event, channel.number)
        item = {"subscriptionId": channel.id, "subscriptionExpirationDateTime": spelled, "tenantId": TENANT}
        item |= {"clientState": channel.details["client_state"], "lifecycleEvent": event}
        self.pushes.queue.add(_message(channel, url, LIFECYCLE, {"item": item, "late": True}))

    def authorize(self, channel: Channel, until: float, **values: Any) -> Channel:
        """The subscription lives off another token from now on; what has waited for that goes out."""
        details = channel.details | {"authorized_until": until, "reminded_at": None}
        changed = self.channels.change(channel, details=details, **values)
        for message in self.pushes.queue.waiting(VENDOR, channel.id):
            if message.held == UNAUTHORIZED:
                self.pushes.queue.hold(message, "")
        self.forget()
        return changed

    def access_withdrawn(self, account: str, client_id: str) -> None:
        """The app's subscriptions end with its grant."""
        for channel in self.channels.of(account, client_id):
            ended = self.channels.end(channel, REMOVED)
            if switches(self.pushes)["push_removed"]:
                self.tell_lifecycle(ended, "subscriptionRemoved")

    def _tell(self, channel: Channel, core: bytes, what: str) -> None:
        if what not in channel.details["change_types"]:
            return
        found = self.describe(channel.account, core, channel.details["immutable"])
        if found is None:
            return
        if self.hosts.state(host_of(channel.url)) == DROP:
            details = channel.details | {"missed": True}
            self.channels.change(channel, details=details)
            self.pushes.queue.write([_message(channel, channel.url, CHANGE, {})], "dropped", why="The host is slow.")
            return
        count = self.pushes.orders.copies(VENDOR, channel.account)
        if what == "updated" and count == 1:
            count = 1 + sum(chance("again", core.hex(), found[1]) < share for share in (0.4, 0.1))
        for _ in range(count):
            self.channels.step(channel, 1)
            made = _message(channel, channel.url, CHANGE, {"item": self._item(channel, what, *found)})
            if channel.details["authorized_until"] <= self.state.now():
                made = replace(made, held=UNAUTHORIZED)
                self._span = None
            if self.hosts.state(host_of(channel.url)) == SLOW:
                made = replace(made, due=self.state.now() + SLOW_SECONDS)
            self.pushes.orders.send(made)

    def _item(self, channel: Channel, what: str, event_id: str, etag: str, oid: str) -> dict[str, Any]:
        place = f"Users/{oid}/Events/{event_id}"
        item: dict[str, Any] = {
            "subscriptionId": channel.id,
            "subscriptionExpirationDateTime": _spelled(channel.expires_at or 0.0, channel.id, event_id, etag),
        }
        if channel.details["client_state"]:
            item["clientState"] = channel.details["client_state"]
        data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": place, "@odata.etag": etag, "id": event_id}
        return item | {"changeType": what, "tenantId": TENANT, "resource": place, "resourceData": data}

    def _remind(self, channel: Channel, now: float) -> float:
        """Tells that access ends soon, each quarter of an hour until somebody does something; when the next time is."""
        details = channel.details
        first = min(details["authorized_until"], channel.expires_at or now) - REMINDER_SECONDS
        reminded = details["reminded_at"]
        due = first if reminded is None else reminded + REMINDER_SECONDS
        if due > now:
            return due
        self.channels.change(channel, details=details | {"reminded_at": now})
        self.tell_lifecycle(channel, "reauthorizationRequired")
        return now + REMINDER_SECONDS

    def _tell_missed(self, host: str) -> None:
        for channel in self.channels.all_live():
            if channel.details.get("missed") and host_of(channel.url) == host:
                self.channels.change(channel, details=channel.details | {"missed": False})
                if switches(self.pushes)["push_missed"]:
                    self.tell_lifecycle(channel, "missed")


def _message(channel: Channel, url: str, kind: str, payload: dict[str, Any]) -> Message:
    return Message(VENDOR, f"{channel.client_id} {url}", channel.id, channel.account, url, payload, kind)


def _spelled(moment: float, *parts: object) -> str:
    """A moment in one of the three spellings that Microsoft uses."""
    offset = OFFSETS[int(chance("spelled", *parts) * len(OFFSETS))]
    if offset is None:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
    return datetime.fromtimestamp(int(moment), timezone(offset)).isoformat()
