"""The permissions of a calendar, as its owner sees and changes them.

https://learn.microsoft.com/graph/api/resources/calendarpermission
"""

from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.calendars import Calendar, Calendars
from fieldcamp.sandbox.microsoft.shares import ORGANIZATION, ORGANIZATION_ID, ROLES, Share

if TYPE_CHECKING:
    from fieldcamp.sandbox.microsoft.graph import Call


class PermissionApi:
    """Answers what is below a calendar's calendarPermissions."""

    def __init__(self, calendars: Calendars) -> None:
        self.calendars, self.shares = calendars, calendars.shares

    def answer(self, call: "Call", cal: Calendar, rest: list[str]) -> Any:
        """Answers a call; a recipient is shown an empty collection."""
        context = f"{call.context}/calendars('{cal.id}')/calendarPermissions"
        if not rest and call.verb == "GET":
            shown = [] if cal.shared else [self._shown(each) for each in self.shares.of_calendar(cal.n)]
            if cal.is_default and not cal.shared:
                shown.append(_organization())
            return {"@odata.context": context, "value": shown}
        if cal.shared:
            raise errors.forbidden()
        if not rest and call.verb == "POST":
            body = call.request.json_object()
            found = self.calendars.account(_address(body))
            if found is None or found.email == cal.account:
                raise errors.invalid("The recipient is not known in this organization.")
            made = self.shares.put(cal.n, found.email, found.mailbox, _role(body))
            return 201, {"@odata.context": f"{context}/$entity", **self._shown(made)}
        if len(rest) != 1 or call.verb not in ("GET", "PATCH", "DELETE"):
            raise errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
        share = next((each for each in self.shares.of_calendar(cal.n) if each.id == rest[0]), None)
        if share is None:
            raise errors.not_found()
        if call.verb == "DELETE":
            self.shares.remove(cal.n, share.email)
            return 204, None
        if call.verb == "PATCH":
            share = self.shares.put(cal.n, share.email, b"", _role(call.request.json_object()))
        return {"@odata.context": f"{context}/$entity", **self._shown(share)}

    def _shown(self, share: Share) -> dict[str, Any]:
        return {
            "id": share.id,
            "isRemovable": True,
            "isInsideOrganization": True,
            "role": share.role,
            "allowedRoles": list(ROLES),
            "emailAddress": {"name": self.calendars.the_account(share.email).name, "address": share.email},
        }


def _organization() -> dict[str, Any]:
    """The main calendar is always shared with the organization, which sees when its owner is busy."""
    return {
        "id": ORGANIZATION_ID,
        "isRemovable": False,
        "isInsideOrganization": True,
        "role": "freeBusyRead",
        "allowedRoles": ["none", "freeBusyRead", "limitedRead", "read", "write"],
        "emailAddress": {"name": ORGANIZATION},
    }


def _address(body: dict[str, Any]) -> str:
    person = body.get("emailAddress")
    address = person.get("address") if isinstance(person, dict) else None
    if not isinstance(address, str):
        raise errors.invalid("The permission needs the recipient's emailAddress.")
    return address


def _role(body: dict[str, Any]) -> str:
    role = body.get("role")
    if role not in ROLES:
        raise errors.invalid("The role is none of those that are allowed.")
    return str(role)
