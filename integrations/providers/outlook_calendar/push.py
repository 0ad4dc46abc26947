"""Microsoft Graph's subscriptions: one for each calendar, a week long, extended every day.

https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
/graph/change-notifications-lifecycle-events · /graph/api/subscription-post-subscriptions
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from integrations import errors
from integrations.paging import Turns
from integrations.providers.outlook_calendar import addresses
from integrations.providers.push import (
    HeldChannel,
    NoticeKind,
    OpenedChannel,
    PostedPush,
    PushNotice,
    PushSource,
    PushUnsupported,
    WantedChannel,
)
from integrations.providers.times import aware
from integrations.transport.answers import Asks, ask, rows_in
from integrations.transport.client import utc_now

# Minutes. The page's 10,080 are refused (10,070 is what is taken), and a few seconds too many as well; older tenants
# take 4,230. What is refused even for an hour is refused for another reason than its length.
LIVES = (10_000, 4_200, 60)
CHANGES = "created,updated,deleted"
LONGEST_TOKEN = 2048  # characters of a handshake
_TOLD = {"created", "updated", "deleted"}
_LIFECYCLE = {
    "reauthorizationrequired": NoticeKind.REAUTHORIZE,
    "subscriptionremoved": NoticeKind.REMOVED,
    "missed": NoticeKind.MISSED,
}


class OutlookSubscriptions:
    """See `ChannelApi` for what each method promises."""

    def __init__(self, http: Asks):
        self.http = http

    def open(self, wanted: WantedChannel) -> OpenedChannel:
        """Opens a subscription. The documented resource is the main calendar's alone; that of any calendar works, too,
        and where it is refused the main one's is asked for in the documented form."""
        refused: errors.ProviderError | None = None
        for resource in self._resources(wanted.container_id):
            for minutes in LIVES:
                try:
                    return self._create(wanted, resource, minutes)
                except errors.Rejected as error:
                    if "validationerror" in error.detail.casefold().split():
                        raise errors.Rejected(
                            "Microsoft got no answer at this site's address for pushes, or not the one that it wants.",
                            detail=error.detail,
                        ) from None
                    refused = error
        detail = refused.detail if refused else ""
        raise PushUnsupported("Microsoft tells nothing of this calendar.", certain=False, detail=detail)

    def _resources(self, container_id: str) -> Iterator[str]:
        yield f"me/calendars/{container_id}/events"
        url = addresses.root(f"me/calendars/{quote(container_id, safe='')}")
        if ask(self.http, "GET", url, params={"$select": "id,isDefaultCalendar"}).get("isDefaultCalendar") is True:
            yield "me/events"

    def _create(self, wanted: WantedChannel, resource: str, minutes: int) -> OpenedChannel:
        body = {
            "changeType": CHANGES,
            "notificationUrl": wanted.url,
            "lifecycleNotificationUrl": wanted.url,
            "resource": resource,
            "expirationDateTime": _in(minutes),
            "clientState": wanted.secret,
            "latestSupportedTlsVersion": "v1_2",
        }
        return _opened(ask(self.http, "POST", addresses.root("subscriptions"), json=body, check=_opened))

    def extend(self, held: HeldChannel) -> OpenedChannel | None:
        if not held.resource_id:
            return None
        refused: errors.ProviderError | None = None
        for minutes in LIVES[:2]:
            try:
                body = {"expirationDateTime": _in(minutes)}
                return _opened(
                    ask(self.http, "PATCH", _address(held.resource_id), json=body, check=_opened, retry_safe=True)
                )
            except errors.Rejected as error:
                refused = error
            except errors.MailboxUnavailable as error:
                if not _is_unknown(error):
                    raise
                raise errors.Gone("Microsoft does not know the subscription any more.", detail=error.detail) from None
        assert refused
        raise refused

    def stop(self, held: HeldChannel) -> None:
        if not held.resource_id:
            return
        try:
            self.http.request("DELETE", _address(held.resource_id))
        except (errors.Gone, errors.NeedsReconnect, errors.AccessRefused):
            return
        except errors.MailboxUnavailable as error:
            if not _is_unknown(error):
                raise

    def strays(self, url: str, lost: HeldChannel, known: Callable[[Sequence[str]], set[str]]) -> list[HeldChannel]:
        resources = {f"me/calendars/{lost.container_id}/events".casefold(), "me/events"}
        mine: list[str] = []
        page, turns = addresses.root("subscriptions"), Turns()
        while page:
            body = ask(self.http, "GET", page, check=rows_in("value", id="id"))
            mine += [row["id"] for row in body["value"] if _is_ours(row, url, resources)]
            page = str(body.get("@odata.nextLink") or "")
            if page:
                turns.take([row["id"] for row in body["value"]], page)
        unknown = set(mine) - known(mine)
        return [HeldChannel(lost.channel_id, id, lost.container_id) for id in mine if id in unknown]


def _is_ours(row: dict[str, Any], url: str, resources: set[str]) -> bool:
    return row.get("notificationUrl") == url and str(row.get("resource")).strip("/").casefold() in resources


def _is_unknown(error: errors.ProviderError) -> bool:
    """Returns whether it is the subscription that is not there: of a mailbox Graph may say the same word."""
    return "resourcenotfound" in error.detail.casefold().split()


def _address(subscription_id: str) -> str:
    return addresses.root(f"subscriptions/{quote(subscription_id, safe='')}")


def _in(minutes: int) -> str:
    """Returns the moment in so many minutes as Graph wants it: without its Z it is refused."""
    return (utc_now() + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def _opened(body: dict[str, Any]) -> OpenedChannel:
    subscription_id = body.get("id")
    if not isinstance(subscription_id, str) or not 0 < len(subscription_id) <= 255:
        raise errors.Unavailable("Microsoft did not say what the subscription is called.")
    try:
        return OpenedChannel(subscription_id, aware(body["expirationDateTime"]))
    except (KeyError, TypeError, ValueError):
        raise errors.Unavailable("Microsoft did not say when the subscription ends.") from None


def challenge(posted: PostedPush) -> str | None:
    """Returns the token of a handshake, which may hold any characters and is sent back as it is."""
    return posted.query.get("validationToken")


def read_push(posted: PostedPush) -> Iterable[PushNotice]:
    """Reads a list of notices, of changes and of the subscriptions themselves, of several companies perhaps. Each names
    its subscription, and repeats what was agreed for it in `clientState`; what has none of it is nobody's."""
    try:
        body = json.loads(posted.body)
    except (ValueError, RecursionError):
        return ()
    items = body.get("value") if isinstance(body, dict) else None
    return (_notice(item) for item in items if isinstance(item, dict)) if isinstance(items, list) else ()


def _notice(item: dict[str, Any]) -> PushNotice:
    event, change = str(item.get("lifecycleEvent") or "").casefold(), str(item.get("changeType") or "").casefold()
    kind = _LIFECYCLE.get(event, NoticeKind.CHANGED)
    told = event if event in _LIFECYCLE else change if change in _TOLD else "changed"
    secret, subscription_id = item.get("clientState"), item.get("subscriptionId")
    secret = secret if isinstance(secret, str) else ""
    return PushNotice(
        kind,
        told,
        # Our name for the subscription stands in front of what is agreed: Graph's own is not known before its answer.
        channel_id=secret.partition(".")[0],
        secret=secret,
        resource_id=subscription_id if isinstance(subscription_id, str) else "",
    )


PUSH = PushSource(
    address="microsoft",
    read=read_push,
    challenge=challenge,
    channels=OutlookSubscriptions,
    renew_after=(0.07, 0.18),
    until_token_ends=True,
    taken=202,
)
