"""The Calendar API's methods behind their addresses: who calls, may they, and what is the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fieldcamp.sandbox.google import cursors, errors, misc_api, params, render, scopes, selector
from fieldcamp.sandbox.google.acl_api import AclApi
from fieldcamp.sandbox.google.calendar_api import CalendarApi
from fieldcamp.sandbox.google.calendars import Calendar, Calendars
from fieldcamp.sandbox.google.channel_api import ChannelApi, events_path, must_push
from fieldcamp.sandbox.google.events import Events
from fieldcamp.sandbox.google.listing import Listing
from fieldcamp.sandbox.google.routes import route
from fieldcamp.sandbox.google.store import Stored
from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.oauth import Grants, Token
from fieldcamp.sandbox.state import State
from fieldcamp.sandbox.traffic import Window

OVERRIDES = ("GET", "PUT", "PATCH", "DELETE")
ADMINISTRATOR = "owner@"  # of everybody's Workspace; the others are its users


@dataclass(frozen=True)
class Call:
    """An allowed call of one method."""

    method: str
    request: Request
    token: Token
    path: dict[str, str]

    @property
    def account(self) -> str:
        """Who calls."""
        return self.token.account

    @property
    def if_match(self) -> str | None:
        """The version the client wants to change."""
        return self.request.headers.get("If-Match")


class CalendarV3:
    """Answers everything below /calendar/v3, also as parts of a batch."""

    def __init__(
        self, state: State, calendars: Calendars, events: Events, grants: Grants, channel_api: ChannelApi
    ) -> None:
        self.state, self.calendars, self.events, self.grants = state, calendars, events, grants
        self.channel_api = channel_api
        self.listing, self.calendar_api, self.acl_api = Listing(events), CalendarApi(calendars), AclApi(calendars)
        self.throttled = True
        # https://developers.google.com/workspace/calendar/api/guides/quota
        self.per_user, self.per_project = Window(600, 60.0), Window(10_000, 60.0)

    def handle(self, request: Request) -> Response:
        """Answers one call; every refusal has Google's shape."""
        try:
            with self.state.transaction():
                return self._answer(request)
        except errors.ApiError as error:
            return error.response()
        except BadInput:
            return errors.ApiError(400, "parseError", "Parse Error").response()

    def _answer(self, request: Request) -> Response:
        token = self._token(request)
        self._count(token)
        verb = request.method
        override = request.headers.get("X-HTTP-Method-Override", "").upper()
        if verb == "POST" and override in OVERRIDES:
            verb = override
        method, path = route("GET" if verb == "HEAD" else verb, request.path)
        if not scopes.reaches(token.scopes, method):
            raise errors.scope_missing(method)
        if request.query.get("alt", "json") != "json":
            raise errors.bad_parameter("alt", request.query["alt"])
        call = Call(method, request, token, path)
        handler: Callable[[Call], Any] = getattr(self, "_" + method.replace(".", "_"))
        data = handler(call)
        if data is None:
            return Response(204)
        return self._response(request, data)

    def _response(self, request: Request, data: dict[str, Any]) -> Response:
        etag = data.get("etag")
        if request.query.get("fields"):
            data = selector.select(data, request.query["fields"])
        # Google indents unless told not to; here only when told to: Python's indenting encoder is ten times slower.
        response = json_response(data, pretty=bool(params.flag(request.query, "prettyPrint")))
        response.headers["Cache-Control"] = "private, max-age=0, must-revalidate, no-transform"
        if etag is not None:
            response.headers["ETag"] = etag
            if request.method == "GET" and etag in _etags(request.headers.get("If-None-Match", "")):
                response.status, response.body = 304, b""
        return response

    def _token(self, request: Request) -> Token:
        text = request.bearer or request.query.get("access_token") or request.query.get("oauth_token")
        if not text:
            raise errors.login_required()
        token = self.grants.lookup(text, "access")
        if token is None:
            raise errors.bad_credentials()
        return token

    def _count(self, token: Token) -> None:
        if not self.throttled:
            return
        now = self.state.now()
        if not self.per_user.admits(f"{token.client_id} {token.account}", now):
            raise errors.user_rate_limit()
        if not self.per_project.admits(token.client_id, now):
            raise errors.project_rate_limit()

    def _calendar(self, call: Call, name: str | None = None) -> Calendar:
        cal = self.calendars.find(call.account, name or call.path["calendarId"])
        if scopes.only_app_created(call.token.scopes, call.method) and cal.made_by != call.token.client_id:
            raise errors.forbidden()
        return cal

    def _shown(self, call: Call, cal: Calendar, stored: Stored) -> dict[str, Any]:
        limit = params.number(call.request.query, "maxAttendees", None, 2000)
        return render.event(cal, stored, params.time_zone(call.request.query) or cal.zone, limit)

    def _events_list(self, call: Call) -> dict[str, Any]:
        return self.listing.events_page(self._calendar(call), call.request.query)

    def _events_instances(self, call: Call) -> dict[str, Any]:
        return self.listing.instances_page(self._calendar(call), call.path["eventId"], call.request.query)

    def _events_get(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self._shown(call, cal, self.events.get(cal, call.path["eventId"]))

    def _events_insert(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self._shown(call, cal, self.events.insert(cal, _event_payload(call), call.account))

    def _events_import(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self._shown(call, cal, self.events.import_(cal, _event_payload(call), call.account))

    def _events_patch(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        changed = self.events.patch(cal, call.path["eventId"], _event_payload(call), call.if_match)
        return self._shown(call, cal, changed)

    def _events_update(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        changed = self.events.update(cal, call.path["eventId"], _event_payload(call), call.if_match)
        return self._shown(call, cal, changed)

    def _events_delete(self, call: Call) -> None:
        self.events.delete(self._calendar(call), call.path["eventId"], call.if_match)

    def _events_move(self, call: Call) -> dict[str, Any]:
        target = call.request.query.get("destination")
        if not target:
            raise errors.required("Missing destination.")
        cal = self._calendar(call, target)
        return self._shown(call, cal, self.events.move(self._calendar(call), call.path["eventId"], cal))

    def _events_quickAdd(self, call: Call) -> dict[str, Any]:
        text = call.request.query.get("text")
        if not text:
            raise errors.required("Missing text.")
        cal = self._calendar(call)
        return self._shown(call, cal, self.events.quick_add(cal, text, call.account))

    def _calendars_get(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.get(self._calendar(call))

    def _calendars_insert(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.insert(call.account, call.token.client_id, call.request.json_object())

    def _calendars_patch(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.write(self._calendar(call), call.request.json_object(), whole=False)

    def _calendars_update(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.write(self._calendar(call), call.request.json_object(), whole=True)

    def _calendars_delete(self, call: Call) -> None:
        self.calendar_api.delete(self._calendar(call))

    def _calendars_clear(self, call: Call) -> None:
        cal = self._calendar(call)
        if not cal.is_primary:
            raise errors.invalid("Only a primary calendar can be cleared.")
        self.events.clear(cal)

    def _calendars_transferOwnership(self, call: Call) -> dict[str, Any]:
        as_admin = params.flag(call.request.query, "useAdminAccess") and call.account.startswith(ADMINISTRATOR)
        if not as_admin:
            raise errors.forbidden()
        to = call.request.query.get("newDataOwner", "").lower()
        return self.calendar_api.get(self.calendars.transfer(call.path["calendarId"], to))

    def _acl_list(self, call: Call) -> dict[str, Any]:
        return self.acl_api.list(self._calendar(call), call.request.query)

    def _acl_get(self, call: Call) -> dict[str, Any]:
        return self.acl_api.get(self._calendar(call), call.path["ruleId"])

    def _acl_insert(self, call: Call) -> dict[str, Any]:
        return self.acl_api.insert(self._calendar(call), call.request.json_object())

    def _acl_patch(self, call: Call) -> dict[str, Any]:
        return self.acl_api.write(self._calendar(call), call.path["ruleId"], call.request.json_object())

    _acl_update = _acl_patch

    def _acl_delete(self, call: Call) -> None:
        self.acl_api.delete(self._calendar(call), call.path["ruleId"])

    def _calendarList_list(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.entries(call.account, call.request.query)

    def _calendarList_get(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.entry(call.account, self._calendar(call).id).render(call.account)

    def _calendarList_insert(self, call: Call) -> dict[str, Any]:
        return self.calendar_api.insert_entry(call.account, call.request.json_object())

    def _calendarList_patch(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self.calendar_api.write_entry(call.account, cal.id, call.request.json_object(), whole=False)

    def _calendarList_update(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self.calendar_api.write_entry(call.account, cal.id, call.request.json_object(), whole=True)

    def _calendarList_delete(self, call: Call) -> None:
        self.calendar_api.remove_entry(call.account, self._calendar(call).id)

    def _freebusy_query(self, call: Call) -> dict[str, Any]:
        return misc_api.free_busy(self.calendars, self.listing, call.account, call.request.json_object())

    def _colors_get(self, call: Call) -> dict[str, Any]:
        return misc_api.colors()

    def _settings_get(self, call: Call) -> dict[str, Any]:
        return misc_api.setting(call.path["setting"])

    def _settings_list(self, call: Call) -> dict[str, Any]:
        return misc_api.settings(cursors.seal_sync(self.state, f"settings:{call.account}", 0, ""))

    def _events_watch(self, call: Call) -> dict[str, Any]:
        must_push(call.path["calendarId"])
        topic = f"events {self._calendar(call).n}"
        return self.channel_api.watch(call, topic, events_path(call.path["calendarId"]))

    def _acl_watch(self, call: Call) -> dict[str, Any]:
        cal = self._calendar(call)
        return self.channel_api.watch(call, f"acl {cal.n}", f"calendars/{cal.id}/acl")

    def _calendarList_watch(self, call: Call) -> dict[str, Any]:
        return self.channel_api.watch(call, f"calendarList {call.account}", "users/me/calendarList")

    def _settings_watch(self, call: Call) -> dict[str, Any]:
        return self.channel_api.watch(call, f"settings {call.account}", "users/me/settings")

    def _channels_stop(self, call: Call) -> None:
        self.channel_api.stop(call)


def _event_payload(call: Call) -> dict[str, Any]:
    payload = call.request.json_object()
    if call.request.query.get("conferenceDataVersion", "0") != "1":
        payload.pop("conferenceData", None)  # ignored unless the client says that it knows the format
    return payload


def _etags(header: str) -> list[str]:
    return [part.strip().removeprefix("W/") for part in header.split(",")]
