"""Reading the change feed: what is stored, what the vendor has besides, and waiting for what is still to come."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from fieldcamp.workspace.models import Workspace
from integrations.models import WorkspaceIntegration
from integrations.selectors.feed import Feed, FeedPage
from integrations.services.observe import observe_pending
from integrations.services.waiting import Waiters, wait_until

LONGEST_WAIT = 25  # seconds: inside the half minute after which proxies and clients usually give up
ASK_AGAIN = 10.0  # seconds of a wait after which the vendor may be asked again
OF_ONE_KEY = 3  # waits of one key at a time, in each process

waiters = Waiters(settings.FEED_WAITERS, OF_ONE_KEY)


@dataclass(frozen=True)
class FeedAnswer:
    """A page, and the time that it is true of. `waited` is false where a wait was wanted and no place was free."""

    page: FeedPage
    as_of: dt.datetime
    waited: bool = True


@dataclass(frozen=True)
class FeedQuery:
    """What is asked for: what comes behind `position`, what was recorded after `since`, or (neither) what has changed
    since the last successful sync; if there is nothing, `wait` seconds are waited for it.

    `refresh` says whether the vendor is asked for what is pending: True before anything is read, False not at all.
    None: as a read without a place or with one does by itself.
    """

    position: int | None
    since: dt.datetime | None
    limit: int
    wait: int = 0
    refresh: bool | None = None


def read_feed(
    workspace: Workspace, integration: str, query: FeedQuery, *, caller: str, gone: Callable[[], bool]
) -> FeedAnswer:
    """Returns the page. The vendor is asked for what is pending, for two seconds at most: before a read without a place
    always, else when nothing more is stored; or as `refresh` says. Raises FeedExpired."""
    now = timezone.now()
    as_of = None
    # What was recorded up to a time that is still to come is not asked for.
    to_come = query.since is None or query.since <= now
    first = query.position is None and query.since is None if query.refresh is None else query.refresh
    if first and to_come:
        if query.refresh:
            _place(Feed(workspace, integration), query, now)  # what has expired is refused before anybody is asked
        as_of = observe_pending(workspace, integration)
    feed = Feed(workspace, integration)
    after = _place(feed, query, now)
    page = feed.page(after, query.limit)
    if as_of is None and query.refresh is None and to_come and not page.more:
        observe_pending(workspace, integration, reading_on=True)
        page = feed.page(after, query.limit)
    waited = True
    if query.wait and to_come and not page.rows:
        with waiters.place(caller) as waited:
            if waited and _comes(workspace, integration, after, query, gone):
                page = feed.page(after, query.limit)
            as_of = None  # it is true of a later time by now
    return FeedAnswer(page, as_of or feed.as_of(timezone.now()), waited)


def _place(feed: Feed, query: FeedQuery, now: dt.datetime) -> int:
    if query.position is not None:
        return feed.checked(query.position, now)
    return feed.after_time(query.since, now) if query.since is not None else feed.after_watermark()


def _comes(workspace: Workspace, integration: str, after: int, query: FeedQuery, gone: Callable[[], bool]) -> bool:
    """Waits for a row behind that place; whether there is one. Other processes write it: only the database tells."""
    newer = WorkspaceIntegration.objects.filter(workspace=workspace, integration=integration, feed_seq__gt=after)
    asked = time.monotonic()

    def look() -> bool:
        nonlocal asked
        if newer.exists():
            return True
        if query.refresh is False or time.monotonic() - asked < ASK_AGAIN:
            return False
        asked = time.monotonic()
        observe_pending(workspace, integration, reading_on=True)
        return newer.exists()

    return wait_until(look, query.wait, gone)
