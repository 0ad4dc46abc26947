"""Delta rounds over a calendar: what has changed since a generation, page by page.

https://learn.microsoft.com/graph/delta-query-events
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from fieldcamp.sandbox.http import Request
from fieldcamp.sandbox.microsoft import errors, render, times
from fieldcamp.sandbox.microsoft.calendars import Calendar
from fieldcamp.sandbox.microsoft.listing import OVERLAPS, Listing
from fieldcamp.sandbox.microsoft.odata import Asked, address
from fieldcamp.sandbox.microsoft.store import Stored
from fieldcamp.sandbox.sealed import seal, unseal

# Outlook's tokens live as long as a cache of bounded size holds them; a half-finished round does not live long.
GENERATIONS_KEPT = 200_000
SKIP_SECONDS = 3600
PAGE = 50
FIRST = -1


@dataclass(frozen=True)
class Round:
    """One round: `since` is the generation the client has (before the first -1), `upto` the one it will have, `after`
    how far it got."""

    cal: int
    view: bool
    start: int
    end: int
    since: int
    upto: int
    after: int
    begun: bool = False


class Delta:
    """Answers the delta functions of calendarView and of events."""

    def __init__(self, listing: Listing) -> None:
        self.listing, self.store, self.state = listing, listing.store, listing.events.state

    def answer(self, request: Request, cal: Calendar, asked: Asked, view: bool, quirky: bool) -> dict[str, Any]:
        """One page, with the link to the next or to the next round."""
        for name in ("select", "expand", "filter", "orderby", "search"):
            if name in asked.options:
                raise errors.bad_parameter(f"The following parameters are not supported with change tracking: ${name}.")
        this = self._round(cal, asked, view)
        size, shape = asked.delta_page_size(PAGE), asked.shape(cal)
        if quirky and this.since == FIRST and not this.begun:
            return self._page(request, [], "skip", this, begun=True)
        condition, params = "kind <> 'exception' AND change > ? AND change <= ?", [this.after, this.upto]
        if this.since == FIRST:
            condition, params = f"{condition} AND NOT deleted AND {OVERLAPS}", [*params, this.start, this.end]
        rows = list(self.store.rows(cal, condition, *params, limit=size + 1))
        items: list[dict[str, Any]] = []
        for row in rows[:size]:
            items += self._items(row, this, shape, quirky)
        if quirky:
            items += items[:1]
        if len(rows) > size:
            return self._page(request, items, "skip", this, after=rows[size - 1].change)
        return self._page(request, items, "delta", this)

    def _items(self, row: Stored, this: Round, shape: render.Shape, quirky: bool) -> list[dict[str, Any]]:
        """One changed item: an event, a series as a whole, or the news that it is not in the window (any more)."""
        if row.deleted or not (row.end_ms > this.start and row.start_ms < this.end):
            return [render.removed(row, shape)]
        whole = {"@odata.type": "#microsoft.graph.event"}
        if row.kind != "master":
            return [whole | render.event(row, shape)]
        instances = []
        if this.view:
            instances = list(self.listing.instances(row, this.start, this.end))
            if not instances:
                return [render.removed(row, shape)]
        else:
            instances = self.store.exceptions(row.core)
        shown = [
            render.sparse(each, shape) if each.kind == "occurrence" else whole | render.event(each, shape)
            for each in instances
        ]
        return shown if quirky and this.view else [whole | render.event(row, shape), *shown]

    def _round(self, cal: Calendar, asked: Asked, view: bool) -> Round:
        for kind in ("skip", "delta"):
            token = asked.options.get(f"{kind}token")
            if token is not None:
                return self._resumed(kind, token, cal, view)
        start, end = asked.window() if view else _from_start(asked)
        return Round(cal.n, view, start, end, since=FIRST, upto=cal.change, after=0)

    def _resumed(self, kind: str, token: str, cal: Calendar, view: bool) -> Round:
        values = unseal(self.state, kind, token)
        if values is None or (values["round"]["cal"], values["round"]["view"]) != (cal.n, view):
            raise errors.resync_required()
        this = Round(**values["round"])
        too_old = kind == "skip" and self.state.now() - values["issued"] > SKIP_SECONDS
        if too_old or self.state.cursor_is_dead(token) or cal.change - this.upto > GENERATIONS_KEPT:
            raise errors.sync_state_lost(this.upto, cal.change)
        if kind == "skip":
            return this
        return Round(cal.n, view, this.start, this.end, since=this.upto, upto=cal.change, after=this.upto)

    def _page(
        self, request: Request, items: list[dict[str, Any]], kind: str, this: Round, **changes: Any
    ) -> dict[str, Any]:
        values = asdict(this) | changes
        # No two tokens are alike: the one after a reset must not equal the expired one before it.
        token = seal(self.state, kind, round=values, issued=int(self.state.now()), unique=secrets.token_hex(8))
        name = "nextLink" if kind == "skip" else "deltaLink"
        link = f"{address(request)}?{urlencode({f'${kind}token': token}, safe='$')}"
        context = f"{request.root}/microsoft/graph/v1.0/$metadata#Collection(event)"
        return {"@odata.context": context, "value": items, f"@odata.{name}": link}


def _from_start(asked: Asked) -> tuple[int, int]:
    """events/delta: the start is required, an end is not."""
    if "startdatetime" not in asked.options:
        raise errors.bad_parameter("This request requires the query string parameter StartDateTime.")
    start = times.instant_ms(asked.options["startdatetime"], "startDateTime")
    end = asked.options.get("enddatetime")
    return start, times.instant_ms(end, "endDateTime") if end else times.FOREVER + 1
