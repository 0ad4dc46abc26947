"""Events behind their addresses: list, create, read, change, delete, views, instances, delta, answers."""

from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.microsoft import errors, filters, render, traits
from fieldcamp.sandbox.microsoft.calendars import Calendar
from fieldcamp.sandbox.microsoft.delta import Delta
from fieldcamp.sandbox.microsoft.events import ANSWERS, Events
from fieldcamp.sandbox.microsoft.listing import Listing
from fieldcamp.sandbox.microsoft.odata import MAX_SKIP
from fieldcamp.sandbox.microsoft.store import Stored

if TYPE_CHECKING:
    from fieldcamp.sandbox.microsoft.graph import Call

LONGEST_VIEW_MS = 1825 * 86_400_000
DELTA = ("delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()")


class EventApi:
    """https://learn.microsoft.com/graph/api/resources/event"""

    def __init__(self, events: Events, listing: Listing, delta: Delta) -> None:
        self.events, self.listing, self.delta = events, listing, delta
        self.calendars = events.calendars

    def answer(self, call: "Call", cal: Calendar | None, parts: list[str]) -> Any:
        """Answers a call below a calendar, or with None below the mailbox."""
        kind, rest = parts[0], parts[1:]
        if cal and not cal.can_read:
            raise errors.forbidden()
        if kind in ("calendarView", "events") and len(rest) == 1 and rest[0] in DELTA and call.verb == "GET":
            quirky = call.account.trait == traits.QUIRKY
            chosen = cal or self.calendars.default(call.account.email)
            return self.delta.answer(call.request, chosen, call.asked, kind == "calendarView", quirky)
        if kind == "calendarView" and not rest and call.verb == "GET":
            return self._view(call, cal or self.calendars.default(call.account.email))
        if kind == "events" and not rest:
            return self._collection(call, cal)
        if kind == "events" and len(rest) < 3:
            found = self.events.get(call.account, rest[0], call.asked.immutable, cal)
            return self._one(call, found) if len(rest) == 1 else self._below(call, found, rest[1])
        raise errors.no_segment(kind)

    def _collection(self, call: "Call", cal: Calendar | None) -> Any:
        if call.verb == "POST":
            shape = call.asked.shape(cal)
            body = call.request.json_object()
            made = self.events.create(cal or self.calendars.default(call.account.email), body)
            return 201, {"@odata.context": f"{self._context(call, cal)}/$entity", **render.event(made, shape)}
        if call.verb != "GET":
            raise errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
        chosen = [cal] if cal else self.calendars.of(call.account.email)
        # Without a question about all of them, only those up to the page asked for are read.
        whole = any(name in call.asked.options for name in ("filter", "orderby", "count"))
        limit = -1 if whole else call.asked.number("skip", 0, MAX_SKIP, 0) + call.asked.page_size() + 1
        return self._page(call, [each for one in chosen for each in self.listing.items(one, limit)], cal)

    def _view(self, call: "Call", cal: Calendar) -> dict[str, Any]:
        start, end = call.asked.window()
        if end - start > LONGEST_VIEW_MS:
            raise errors.invalid("Your request can't be completed. The range between the start and end dates is greater"
                                 " than the allowed range. Maximum number of days: 1825")  # fmt: skip
        return self._page(call, self.listing.between(cal, start, end), cal, "calendarView")

    def _one(self, call: "Call", found: Stored) -> Any:
        cal = self.calendars.seen(call.account.email, found.cal)
        shape, if_match = call.asked.shape(cal), call.request.headers.get("If-Match")
        context = f"{self._context(call, None)}/$entity"
        if call.verb == "DELETE":
            self.events.delete(found, if_match)
            return 204, None
        if call.verb == "PATCH":
            changed = self.events.update(found, call.request.json_object(), if_match)
            return {"@odata.context": context, **render.event(changed, shape)}
        if call.verb != "GET":
            raise errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
        item = render.event(found, shape) | self._of_series(call, found)
        calendar_id = self._calendar_id(call, found)
        link = f"{call.context.partition('$')[0]}users('{call.account.email}')/calendars('{calendar_id}')"
        links = {"calendar@odata.associationLink": f"{link}/$ref", "calendar@odata.navigationLink": link}
        return {"@odata.context": context, **call.asked.selected(item), **links}

    def _of_series(self, call: "Call", found: Stored) -> dict[str, Any]:
        """What a series tells only when it is asked to."""
        result: dict[str, Any] = {}
        if found.kind != "master":
            return result
        if "cancelledOccurrences" in call.asked.options.get("select", ""):
            days = [render.occurrence_id(found, ms, call.asked.immutable) for ms in found.body["cancelled"]]
            result["cancelledOccurrences"] = days
        if "exceptionOccurrences" in call.asked.options.get("expand", ""):
            changed = self.events.store.exceptions(found.core)
            result["exceptionOccurrences"] = [render.event(each, call.asked.shape()) for each in changed]
        return result

    def _below(self, call: "Call", found: Stored, name: str) -> Any:
        if name == "instances" and call.verb == "GET":
            start, end = call.asked.window()
            if found.kind != "master":
                raise errors.invalid("Your request can't be completed. Only a series has instances.")
            cal = self.calendars.seen(call.account.email, found.cal)
            instances = sorted(self.listing.instances(found, start, end), key=lambda each: each.start_ms)
            return self._page(call, instances, cal if cal and cal.shared else None, "instances")
        if name == "calendar" and call.verb == "GET":
            return self.calendars.render(self.calendars.find(call.account.email, self._calendar_id(call, found)))
        if call.verb == "POST" and name in ANSWERS:
            self.events.answer(found, name)
            return 202, None
        if call.verb == "POST" and name == "cancel":
            self.events.cancel(found)
            return 202, None
        if call.verb == "POST" and name == "permanentDelete":
            self.events.delete(found)
            return 204, None
        raise errors.no_segment(name)

    def _page(self, call: "Call", found: list[Stored], cal: Calendar | None, name: str = "events") -> dict[str, Any]:
        """A page of events. Only the page is rendered unless something is asked of all of them."""
        asked, shape = call.asked, call.asked.shape(cal)
        if asked.options.get("filter"):
            test = filters.parse(asked.options["filter"])
            found = [each for each in found if test(render.event(each, shape), each.body["properties"])]
        if asked.options.get("orderby"):
            rendered = {id(each): render.event(each, shape) for each in found}
            found = filters.ordered(found, asked.options["orderby"], lambda each: rendered[id(each)])
        page, link = asked.page(call.request, found)
        answer: dict[str, Any] = {"@odata.context": self._context(call, cal, name)}
        if asked.options.get("count", "").lower() == "true":
            answer["@odata.count"] = len(found)
        answer["value"] = [asked.selected(render.event(each, shape)) for each in page]
        return answer | ({"@odata.nextLink": link} if link else {})

    def _calendar_id(self, call: "Call", found: Stored) -> str:
        cal = self.calendars.seen(call.account.email, found.cal)
        return cal.id if cal else ""

    def _context(self, call: "Call", cal: Calendar | None, name: str = "events") -> str:
        inner = f"/calendars('{cal.id}')" if cal else ""
        return f"{call.context}{inner}/{name}"
