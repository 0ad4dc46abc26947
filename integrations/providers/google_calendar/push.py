"""Google's notification channels: one for each calendar, seven days long, replaced by another before it ends.

https://developers.google.com/workspace/calendar/api/guides/push · /calendar/api/v3/reference/events/watch
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations import errors
from integrations.providers.push import (
    HeldChannel,
    NoticeKind,
    OpenedChannel,
    PostedPush,
    PushMisconfigured,
    PushNotice,
    PushSource,
    PushUnsupported,
    WantedChannel,
)
from integrations.transport.answers import Asks, ask

LIFE = 604_800  # seconds: what is granted where nothing is asked, and the longest that is known to be
_STATES = {"sync": NoticeKind.OPENED, "exists": NoticeKind.CHANGED, "not_exists": NoticeKind.CHANGED}
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_NOT_HTTPS, _UNAUTHORIZED = "push.webhookUrlNotHttps", "push.webhookUrlUnauthorized"
_UNSUPPORTED = "pushNotSupportedForRequestedResource"
# What says that there is no such channel (any more).
_ENDED = (errors.Gone, errors.Rejected, errors.NeedsReconnect, errors.AccessRefused)


class GoogleChannels:
    """See `ChannelApi` for what each method promises."""

    def __init__(self, http: Asks):
        self.http = http

    def open(self, wanted: WantedChannel) -> OpenedChannel:
        """Opens a channel. Not sent twice: an id that was used is refused."""
        url = f"{settings.GOOGLE_API_URL}/calendar/v3/calendars/{quote(wanted.container_id, safe='')}/events/watch"
        body = {
            "id": wanted.channel_id,
            "type": "web_hook",
            "address": wanted.url,
            "token": wanted.secret,
            "params": {"ttl": str(LIFE)},
        }
        try:
            answer = ask(self.http, "POST", url, json=body, check=_opened)
        except errors.ProviderError as error:
            raise _meant(error) from None
        return _opened(answer)

    def extend(self, held: HeldChannel) -> OpenedChannel | None:
        return None

    def stop(self, held: HeldChannel) -> None:
        if not held.resource_id:
            return
        body = {"id": held.channel_id, "resourceId": held.resource_id}
        try:
            self.http.request(
                "POST", f"{settings.GOOGLE_API_URL}/calendar/v3/channels/stop", json=body, retry_safe=True
            )
        except _ENDED:
            return

    def strays(self, url: str, lost: HeldChannel, known: Callable[[Sequence[str]], set[str]]) -> list[HeldChannel]:
        """Google lists no channels, but calls what all of a calendar's watch by one name."""
        return [lost]


def _opened(body: dict[str, Any]) -> OpenedChannel:
    """Reads an answer; `expiration` is in milliseconds, and a text."""
    resource_id = body.get("resourceId")
    try:
        expires_at = dt.datetime.fromtimestamp(int(body["expiration"]) / 1000, dt.UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise errors.Unavailable("Google did not say when the channel ends.") from None
    if not isinstance(resource_id, str) or not 0 < len(resource_id) <= 255:
        raise errors.Unavailable("Google did not say what the channel watches.")
    return OpenedChannel(resource_id, expires_at)


def _meant(error: errors.ProviderError) -> errors.ProviderError:
    """Returns what a refusal to open means. The same reason comes with different statuses, so the reason decides."""
    reasons = set(error.detail.split())
    if _UNSUPPORTED in reasons:
        return PushUnsupported("Google tells nothing of this calendar.", certain=True, detail=error.detail)
    if _NOT_HTTPS in reasons:
        return PushMisconfigured("Google posts to https addresses only.", fault=_NOT_HTTPS, detail=error.detail)
    if _UNAUTHORIZED in reasons:
        return PushMisconfigured(
            "Google does not post to this site's address: its domain has to be verified for the Cloud project.",
            fault=_UNAUTHORIZED,
            detail=error.detail,
        )
    return error


def read_push(posted: PostedPush) -> Sequence[PushNotice]:
    """Reads a message: it is in the headers alone."""
    headers = posted.headers
    channel_id, state = headers.get("x-goog-channel-id", ""), headers.get("x-goog-resource-state", "")
    if not channel_id or state not in _STATES:
        return ()
    number = headers.get("x-goog-message-number", "")
    message_id = f"{channel_id}:{number}" if _NUMBER.fullmatch(number) else ""
    return (
        PushNotice(
            _STATES[state],
            state,
            channel_id=channel_id,
            secret=headers.get("x-goog-channel-token", ""),
            resource_id=headers.get("x-goog-resource-id", ""),
            message_id=message_id,
        ),
    )


PUSH = PushSource(address="google", read=read_push, channels=GoogleChannels)
