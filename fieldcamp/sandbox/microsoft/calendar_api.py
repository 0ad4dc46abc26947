"""The calendars of a mailbox: list, create, read, rename, delete."""

from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.calendars import Calendar, Calendars

if TYPE_CHECKING:
    from fieldcamp.sandbox.microsoft.graph import Call

MAX_NAME = 255


class CalendarApi:
    """https://learn.microsoft.com/graph/api/resources/calendar"""

    def __init__(self, calendars: Calendars) -> None:
        self.calendars = calendars

    def collection(self, call: "Call") -> Any:
        """/me/calendars."""
        context = f"{call.context}/calendars"
        if call.verb == "POST":
            name = _name(call.request.json_object())
            if any(cal.body["name"].lower() == name.lower() for cal in self.calendars.of(call.account.email)):
                raise errors.GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
            made = self.calendars.create(call.account, name)
            return 201, {"@odata.context": f"{context}/$entity", **self.calendars.render(made)}
        if call.verb != "GET":
            raise errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
        items = [self.calendars.render(cal) for cal in self.calendars.visible(call.account.email)]
        page, link = call.asked.page(call.request, items)
        answer = {"@odata.context": context, "value": [call.asked.selected(item) for item in page]}
        return answer | ({"@odata.nextLink": link} if link else {})

    def one(self, call: "Call", cal: Calendar) -> Any:
        """One calendar."""
        if call.verb == "DELETE":
            if not cal.body["isRemovable"]:
                raise errors.invalid("The default calendar cannot be deleted.")
            self.calendars.remove(cal)
            return 204, None
        if call.verb == "PATCH":
            body = call.request.json_object()
            cal = self.calendars.rename(cal, {"name": _name(body)} if "name" in body else {})
        elif call.verb != "GET":
            raise errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
        context = f"{call.context}/calendars/$entity"
        return {"@odata.context": context, **call.asked.selected(self.calendars.render(cal))}


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
        raise errors.invalid("The calendar needs a name.")
    return name.strip()
