"""Graph's addresses below /v1.0: who calls, may they, and what is the answer."""

import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.microsoft import delta, errors, scopes, traits
from fieldcamp.sandbox.microsoft.calendar_api import CalendarApi
from fieldcamp.sandbox.microsoft.calendars import Account, Calendars
from fieldcamp.sandbox.microsoft.event_api import EventApi
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.lanes import Lanes
from fieldcamp.sandbox.microsoft.listing import Listing
from fieldcamp.sandbox.microsoft.odata import Asked
from fieldcamp.sandbox.microsoft.permission_api import PermissionApi
from fieldcamp.sandbox.microsoft.subscription_api import SubscriptionApi
from fieldcamp.sandbox.microsoft.user_api import UserApi
from fieldcamp.sandbox.oauth import Grants, Token
from fieldcamp.sandbox.state import State

PREFIX = "/microsoft/graph/v1.0"
_KEYED = re.compile(r"(\w+)\('([^']+)'\)", re.ASCII)  # calendars('…') is the same as calendars/…


@dataclass(frozen=True)
class Call:
    """An allowed call: `parts` are the address's segments behind the user."""

    request: Request
    account: Account
    token: Token
    parts: list[str]
    asked: Asked

    @property
    def context(self) -> str:
        """The beginning of every @odata.context of this user's."""
        return f"{self.request.root}{PREFIX}/$metadata#users('{quote(self.account.email, safe='')}')"

    @property
    def verb(self) -> str:
        """The method; HEAD is GET without a body."""
        return "GET" if self.request.method == "HEAD" else self.request.method


class Graph:
    """Answers everything below /v1.0, also as items of a batch."""

    def __init__(
        self, state: State, calendars: Calendars, events: Events, grants: Grants, subscription_api: SubscriptionApi
    ) -> None:
        self.subscription_api = subscription_api
        self.state, self.calendars, self.events, self.grants = state, calendars, events, grants
        self.lanes = Lanes()
        listing = Listing(events)
        self.users, self.calendar_api = UserApi(events), CalendarApi(calendars)
        self.permission_api = PermissionApi(calendars)
        self.event_api = EventApi(events, listing, delta.Delta(listing))

    def handle(self, request: Request, in_batch: bool = False) -> Response:
        """Answers one call; every refusal has Graph's shape. An item of a batch has its place from the batch."""
        request_id, own_id = str(uuid.uuid4()), request.headers.get("client-request-id", "")
        try:
            token = self.token(request)
            key = f"{token.client_id} {token.account}"
            # The count runs also while calls are refused: https://learn.microsoft.com/graph/throttling
            self.lanes.count(key, self.state.now())
            if not in_batch and self.lanes.enter(request, key) < 1:
                raise errors.over_concurrency()
            if request.path.startswith(f"{PREFIX}/subscriptions"):
                response = self.subscription_api.answer(request, token)
            else:
                with self.state.transaction():
                    response = self._answer(request, token)
        except errors.GraphError as error:
            response = error.response(request_id, own_id)
        except BadInput:
            text = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is valid."
            response = errors.bad_request(text).response(request_id, own_id)
        response.headers["request-id"] = request_id
        response.headers["client-request-id"] = own_id or request_id
        return response

    def token(self, request: Request) -> Token:
        """The live access token of a call."""
        if not request.bearer:
            raise errors.no_token()
        token = self.grants.lookup(request.bearer, "access")
        if token is None:
            raise errors.bad_token()
        return token

    def _answer(self, request: Request, token: Token) -> Response:
        account = self.calendars.the_account(token.account)
        parts = _parts(request.path, account)
        asked = Asked.of(request)
        call = Call(request, account, token, parts, asked)
        scopes.check(token.scopes, parts, call.verb)
        if parts and parts[0] not in ("outlook", "translateExchangeIds"):
            traits.check_mailbox(account.trait)
        data = self._routed(call)
        status = 200
        if isinstance(data, tuple):
            status, data = data
        response = Response(status) if data is None else json_response(data, status)
        if data is not None:
            response.headers["Content-Type"] = "application/json; odata.metadata=minimal; charset=utf-8"
        if asked.applied:
            response.headers["Preference-Applied"] = asked.applied
        return response

    def _routed(self, call: Call) -> Any:
        """The answer's data, or (status, data); None is no content."""
        parts = call.parts
        if not parts or parts[0] in ("outlook", "translateExchangeIds", "mailboxSettings"):
            return self.users.answer(call)
        calendar_id, rest = None, parts
        if parts[0] == "calendars":
            if len(parts) < 2:
                return self.calendar_api.collection(call)
            calendar_id, rest = parts[1], parts[2:]
        elif parts[0] == "calendar":
            calendar_id, rest = self.calendars.default(call.account.email).id, parts[1:]
        cal = self.calendars.find(call.account.email, calendar_id) if calendar_id or not rest else None
        if cal and cal.of_a_main_one:
            scopes.check_shared(call.token.scopes, call.verb)
        if cal and not rest:
            return self.calendar_api.one(call, cal)
        if cal and rest[0] == "calendarPermissions":
            return self.permission_api.answer(call, cal, rest[1:])
        return self.event_api.answer(call, cal, rest)


def _parts(raw_path: str, account: Account) -> list[str]:
    """The address's segments behind the user, whom it may name in several ways."""
    path = raw_path.removeprefix(f"{PREFIX}/").strip("/")
    parts: list[str] = []
    for raw in path.split("/"):
        segment = unquote(raw)
        keyed = _KEYED.fullmatch(segment)
        parts += keyed.groups() if keyed and keyed[1] in ("calendars", "events", "users") else [segment]
    if parts[0] == "users" and len(parts) > 1:
        if parts[1].lower() not in (account.email, account.oid):
            raise errors.forbidden()  # no sample account shares its mailbox
        return parts[2:]
    if parts[0] != "me":
        raise errors.no_segment(parts[0])
    return parts[1:]
