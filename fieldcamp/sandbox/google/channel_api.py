"""Opening and stopping channels: `watch` of events, lists, rules and settings, and `channels.stop`.

https://developers.google.com/workspace/calendar/api/v3/reference/events/watch
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.push import GooglePush, expiration_ms, switches
from fieldcamp.sandbox.push.channels import LIVE
from fieldcamp.sandbox.push.sender import chance

if TYPE_CHECKING:
    from fieldcamp.sandbox.google.api import Call

LONGEST_SECONDS = 604_800
LONGEST_TOKEN = 256
SYNC_FIRST = 1 / 3  # of the channels of a served sandbox
_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
# What Google keeps for everybody, and rooms: they cannot be watched.
_UNWATCHABLE = re.compile(r"#(holiday|contacts|weather)[^@]*@|@resource\.calendar\.google\.com$", re.IGNORECASE)


def must_push(calendar_id: str) -> None:
    """400 for the calendars of which Google tells nobody."""
    if _UNWATCHABLE.search(calendar_id):
        text = "Push notifications are not supported by this resource."
        raise errors.ApiError(400, "pushNotSupportedForRequestedResource", text, "calendar")


class ChannelApi:
    """The methods behind their addresses."""

    def __init__(self, push: GooglePush) -> None:
        self.push, self.state = push, push.state

    def watch(self, call: "Call", topic: str, path: str) -> dict[str, Any]:
        """A new channel about a topic; `path` is the resource's address below the API's root."""
        sent = call.request.json_object()
        channel_id, token, address = sent.get("id"), sent.get("token"), sent.get("address")
        if not isinstance(channel_id, str) or not channel_id:
            raise errors.required("Missing channel id.")
        if not _ID.fullmatch(channel_id):
            raise errors.ApiError(400, "channelIdInvalid", "Invalid channel id.")
        if sent.get("type") not in ("web_hook", "webhook"):
            raise errors.ApiError(400, "channelUnknown", f"Unknown channel type: {str(sent.get('type'))[:50]}")
        token = "" if token is None else token  # as Google's own client sends it
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable()):
            raise errors.invalid("Invalid value for: token")
        if not isinstance(address, str) or not address:
            raise errors.required("Missing WebHook callback address.")
        self._check_address(address)
        if self.push.channels.get(channel_id) is not None:
            raise errors.ApiError(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")
        digest = hashlib.sha1(f"{call.account} {topic}".encode(), usedforsecurity=False).digest()
        details = {
            "token": token,
            "resource_id": urlsafe_b64encode(digest).decode().rstrip("="),
            "resource_uri": f"https://www.googleapis.com/calendar/v3/{path}?alt=json",
        }
        channel, message = self.push.open(
            channel_id=channel_id,
            account=call.account,
            client_id=call.token.client_id,
            topic=topic,
            resource=details["resource_uri"],
            url=address,
            expires_at=self.state.now() + self._life(sent),
            details=details,
        )
        first, courier = switches(self.push.pushes)["push_sync_first"], self.push.pushes.courier
        if first is None:
            first = courier.running and chance("sync", channel_id) < SYNC_FIRST
        if first:
            call.request.at_end.append(lambda: courier.hurry(message))
        answer = {"kind": "api#channel", "id": channel.id, "resourceId": details["resource_id"]}
        answer |= {"resourceUri": details["resource_uri"]} | ({"token": token} if token else {})
        return answer | {"expiration": expiration_ms(channel)}

    def stop(self, call: "Call") -> None:
        """204 also for what is over already; 404 for what is not this user's and this app's."""
        sent = call.request.json_object()
        channel_id, resource_id = sent.get("id"), sent.get("resourceId")
        for name, value in (("id", channel_id), ("resourceId", resource_id)):
            if not isinstance(value, str) or not value:
                raise errors.required(f"Missing {name}.")
        found = self.push.channels.get(str(channel_id))
        mine = found is not None and (found.account, found.client_id) == (call.account, call.token.client_id)
        if found is None or not mine or found.details["resource_id"] != resource_id:
            text = f"Channel '{str(channel_id)[:64]}' not found for project '{call.token.client_id}'"
            raise errors.ApiError(404, "notFound", text)
        if found.state == LIVE:
            self.push.stop(found)

    def _check_address(self, address: str) -> None:
        wire = self.push.pushes.wire
        if not wire.takes(address):
            if address.lower().startswith("https:"):
                raise errors.invalid("Invalid WebHook callback address.")
            text = f"WebHook callback must be HTTPS: {address[:200]}"
            raise errors.ApiError(400, "push.webhookUrlNotHttps", text)
        if switches(self.push.pushes)["push_unverified"]:
            text = f"Unauthorized WebHook callback channel: {address[:200]}"
            raise errors.ApiError(401, "push.webhookUrlUnauthorized", text)

    def _life(self, sent: dict[str, Any]) -> float:
        """The channel's life: what is asked for, and no longer than Google grants."""
        params, life = sent.get("params") or {}, float(LONGEST_SECONDS)
        if not isinstance(params, dict):
            raise errors.invalid("Invalid value for: params")
        now_ms = self.state.now() * 1000
        for value, begins, unit in ((params.get("ttl"), 0.0, 1.0), (sent.get("expiration"), now_ms, 1000.0)):
            if value is None:
                continue
            # Google's own client sends the moment as a number with a fraction.
            if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
                raise errors.invalid("Invalid value for: ttl or expiration")
            seconds = (float(value) - begins) / unit
            if seconds <= 0:
                raise errors.invalid("The channel would have ended before it began.")
            life = min(life, seconds)
        return life


def events_path(calendar_id: str) -> str:
    """The address of a calendar's events below the API's root, as the client has named the calendar."""
    return f"calendars/{quote(calendar_id, safe='@')}/events"
