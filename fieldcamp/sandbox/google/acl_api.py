"""The methods on a calendar's access control list, for its owners.

https://developers.google.com/workspace/calendar/api/v3/reference/acl
"""

import sqlite3
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.google import cursors, errors, params
from fieldcamp.sandbox.google.calendars import Calendar, Calendars
from fieldcamp.sandbox.google.render import opaque_etag
from fieldcamp.sandbox.google.rules import ROLES, SCOPES


class AclApi:
    """acl.*"""

    def __init__(self, calendars: Calendars) -> None:
        self.calendars, self.rules, self.state = calendars, calendars.rules, calendars.state

    def list(self, cal: Calendar, query: MultiDict) -> dict[str, Any]:
        """One page of acl.list. What was taken away is in a list of changes always, with the role "none"."""
        cal.must_be("owner")
        limit = params.number(query, "maxResults", 100, 250) or 100
        since, position, scope = None, 0, f"acl:{cal.id}"
        if query.get("pageToken"):
            page = cursors.unseal(self.state, "acl", query["pageToken"])
            if page is None or page["cal"] != cal.id:
                raise errors.invalid("Invalid page token value.", "pageToken")
            since, position = page["since"], page["position"]
        elif query.get("syncToken"):
            since = position = cursors.unseal_sync(self.state, query["syncToken"], scope, "")
        gone_too = since is not None or params.flag(query, "showDeleted")
        rows = [row for row in self.rules.of(cal.n, position) if gone_too or row["role"] != "none"]
        result: dict[str, Any] = {"kind": "calendar#acl", "etag": opaque_etag(cal.id, [row["change"] for row in rows])}
        if len(rows) > limit:
            values = {"cal": cal.id, "since": since, "position": rows[limit - 1]["change"]}
            result["nextPageToken"] = cursors.seal(self.state, "acl", **values)
        else:
            newest = max([position, *(row["change"] for row in self.rules.of(cal.n))])
            result["nextSyncToken"] = cursors.seal_sync(self.state, scope, newest, "")
        result["items"] = [_shown(row) for row in rows[:limit]]
        return result

    def get(self, cal: Calendar, name: str) -> dict[str, Any]:
        """One rule."""
        cal.must_be("owner")
        return _shown(self.rules.find(cal.n, name))

    def insert(self, cal: Calendar, payload: dict[str, Any]) -> dict[str, Any]:
        """A new rule, or another role for a scope that has one. The calendar does not come into the colleague's list by
        itself: that takes calendarList.insert, or a click in the mail."""
        cal.must_be("owner")
        scope = payload.get("scope")
        kind, value = (scope.get("type"), scope.get("value", "")) if isinstance(scope, dict) else (None, "")
        if kind not in SCOPES or not isinstance(value, str) or (kind != "default" and not 0 < len(value) <= 320):
            raise errors.invalid("Invalid scope value.")
        return self._put(cal, kind, value, _role(payload))

    def write(self, cal: Calendar, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """PATCH or PUT: all that can be changed of a rule is its role."""
        cal.must_be("owner")
        row = self.rules.find(cal.n, name)
        return self._put(cal, row["kind"], row["value"], _role(payload))

    def delete(self, cal: Calendar, name: str) -> None:
        """Takes the rule away."""
        cal.must_be("owner")
        row = self.rules.find(cal.n, name)
        self._put(cal, row["kind"], row["value"], "none")

    def _put(self, cal: Calendar, kind: str, value: str, role: str) -> dict[str, Any]:
        if kind == "user" and value.lower() == cal.owner and role != "owner":
            raise errors.forbidden()  # whose data it is stays its owner
        return _shown(self.calendars.allow(cal, kind, value, role))


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    scope = {"type": row["kind"]} | ({} if row["kind"] == "default" else {"value": row["value"]})
    etag = opaque_etag(row["id"], row["change"])
    return {"kind": "calendar#aclRule", "etag": etag, "id": row["id"], "scope": scope, "role": row["role"]}


def _role(payload: dict[str, Any]) -> str:
    role = payload.get("role")
    if role not in ROLES:
        raise errors.invalid("Invalid value for: role")
    return str(role)
