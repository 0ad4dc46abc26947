"""Google Calendar v3 and Google's OAuth 2.0, simulated."""

import re
from typing import Any

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.diary import DiaryPages
from fieldcamp.sandbox.faults import Faults
from fieldcamp.sandbox.google import batch, errors, push, render, seed
from fieldcamp.sandbox.google.api import CalendarV3
from fieldcamp.sandbox.google.calendars import Calendars
from fieldcamp.sandbox.google.channel_api import ChannelApi
from fieldcamp.sandbox.google.consent import Consent
from fieldcamp.sandbox.google.diary import GoogleDiary
from fieldcamp.sandbox.google.events import Events
from fieldcamp.sandbox.google.risc import PREFIX as RISC_PREFIX
from fieldcamp.sandbox.google.risc import Risc
from fieldcamp.sandbox.google.routes import PREFIX
from fieldcamp.sandbox.google.rules import ROLES
from fieldcamp.sandbox.google.schema import SCHEMA
from fieldcamp.sandbox.google.scopes import IDENTITY
from fieldcamp.sandbox.google.token_api import TokenApi
from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.oauth import ANY_CLIENT, Grants
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.repeating import Paging
from fieldcamp.sandbox.state import State

DEFAULT_SCOPES = ("openid", "email", "profile", "https://www.googleapis.com/auth/calendar")
BATCH_PATHS = ("/google/api/batch/calendar/v3", "/google/api/batch")


class Google:
    """Implements `fieldcamp.sandbox.vendor.Vendor`."""

    name = "google"
    title = "Google"
    consent_path = re.compile(r"/google/accounts/o/oauth2/v2/auth")
    paging: Paging | None = Paging("items", "nextPageToken", "pageToken", last="nextSyncToken")

    def __init__(self, state: State, faults: Faults, pushes: Pushes) -> None:
        state.install(SCHEMA)
        self.state, self.faults, self.pushes = state, faults, pushes
        sender = push.GooglePush(pushes)
        pushes.register(sender)
        self.grants = Grants(state, self.name)
        self.calendars = Calendars(state)
        self.events = Events(state, self.calendars)
        self.calendar_v3 = CalendarV3(state, self.calendars, self.events, self.grants, ChannelApi(sender))
        self.calendar_api = self.calendar_v3.calendar_api
        self.tokens, self.consent = TokenApi(self.calendars, self.grants), Consent(self.calendars, self.grants)
        self.risc = Risc(self.calendars, self.grants)
        diary = GoogleDiary(self.calendars, self.events, self.calendar_v3.listing, self.grants)
        self.ui = DiaryPages(diary, state, self.grants)
        self._fixed = {
            "/google/accounts/o/oauth2/v2/auth": self.consent.handle,
            "/google/accounts/.well-known/openid-configuration": self.tokens.discovery,
            "/google/accounts/.well-known/risc-configuration": self.risc.configuration,
            "/google/oauth2/token": self.tokens.token,
            "/google/api/oauth2/v4/token": self.tokens.token,
            "/google/oauth2/revoke": self.tokens.revoke,
            "/google/oauth2/tokeninfo": self.tokens.token_info,
            "/google/openid/v1/userinfo": self.tokens.user_info,
            "/google/api/oauth2/v2/userinfo": self.tokens.user_info_v2,
            "/google/api/oauth2/v3/userinfo": self.tokens.user_info,
            "/google/oauth2/v3/certs": self._certificates,
            "/google/api/oauth2/v3/certs": self._certificates,
        }

    @property
    def throttled(self) -> bool:
        """Whether quotas apply."""
        return self.calendar_v3.throttled

    @throttled.setter
    def throttled(self, enabled: bool) -> None:
        self.calendar_v3.throttled = enabled
        self.forget()

    def handle(self, request: Request) -> Response:
        """Answers a call below /google."""
        if request.path in self._fixed:
            return self._fixed[request.path](request)
        if request.path in BATCH_PATHS and request.method == "POST":
            try:
                return batch.answer(request, lambda part: self._part(part, request))
            except errors.ApiError as error:
                return error.response()
        if request.path.startswith(f"{PREFIX}/"):
            return self.calendar_v3.handle(request)
        if request.path.startswith(RISC_PREFIX):
            return self.risc.handle(request)
        return errors.not_found().response()

    def page(self, request: Request) -> Response:
        """Answers a call below /google/ui."""
        return self.ui.handle(request)

    def seed(self, seed_name: str) -> None:
        """Makes the sample accounts; all seeds but "empty" also give them a few events."""
        seed.fill(self.calendars, self.events, seed_name)

    def token(self, account: str, scopes: list[str] | None, client_id: str | None) -> dict[str, Any]:
        """A token answer with a refresh token; without a client id, one that any client may refresh."""
        email = self._account(account)
        wanted = {IDENTITY.get(scope, scope) for scope in scopes or DEFAULT_SCOPES}
        with self.state.transaction():
            grant, _ = self.grants.allow(email, client_id or ANY_CLIENT, wanted)
            return self.tokens.answer_for(email, grant, wanted, refresh=True)

    def revoke(self, account: str) -> int:
        """Removes every client's access to the account, of which those are told that have asked for it."""
        email = self._account(account)
        grants = self.grants.of_account(email)
        for grant in grants:
            self.grants.remove(grant["n"])
            self.risc.access_withdrawn(email, grant["client_id"])
        return len(grants)

    def bulk(self, account: str, counts: dict[str, int]) -> dict[str, int]:
        """Makes events in the account's main calendar."""
        if set(counts) != {"events"}:
            raise BadInput("Google has events only.")
        seed.bulk(self.calendars, self.events, self._account(account), counts["events"])
        return counts

    def restore(self, account: str, event: str) -> dict[str, Any]:
        """Takes an event out of the trash of its calendar.

        https://developers.google.com/workspace/calendar/api/v3/reference/events (status)
        """
        for cal in self.calendars.of(self._account(account)):
            found = self.events.store.get(cal, event)
            if found is not None and found.cancelled:
                return render.event(cal, self.events.patch(cal, event, {"status": "confirmed"}), cal.zone)
        raise BadInput("There is no such event in the trash.")

    def share(self, account: str, calendar: str, colleague: str, role: str | None) -> dict[str, Any]:
        """The owner lets a colleague in, who puts the calendar on the own list; with None lets them out again."""
        try:
            cal = self.calendars.find(self._account(account), calendar or "primary")
        except errors.ApiError:
            raise BadInput("This account has no such calendar.") from None
        friend = self._account(colleague)
        if role not in (None, *ROLES):
            raise BadInput(f"role must be one of {', '.join(ROLES)}, or null.")
        with self.state.transaction():
            self.calendars.allow(cal, "user", friend, role or "none")
            if role:
                self.calendar_api.insert_entry(friend, {"id": cal.id})
        return {"calendar": cal.id, "role": role}

    def invite(self, account: str, event: str, colleague: str) -> dict[str, Any]:
        """Makes a colleague the guest of one occurrence. The copy in their calendar has the occurrence's id and names a
        series that is not there: https://developers.google.com/workspace/calendar/api/concepts/inviting-attendees-to-events
        """
        host, guest = self._account(account), self._account(colleague)
        try:
            found = self.events.get(self.calendars.find(host, "primary"), event)
        except errors.ApiError:
            raise BadInput("There is no such event.") from None
        if "recurringEventId" not in found.body or found.cancelled:
            raise BadInput("This is no occurrence of a series.")
        cal = self.calendars.find(guest, "primary")
        hidden = ("extendedProperties", "reminders", "colorId")  # what stands on one copy only
        body = {name: value for name, value in found.body.items() if name not in hidden}
        people = [{"email": host, "responseStatus": "accepted"}, {"email": guest, "responseStatus": "needsAction"}]
        made = self.events.store.save(cal, body | {"attendees": people, "reminders": {"useDefault": True}})
        return render.event(cal, made, cal.zone)

    def leave(self, account: str, seconds: float) -> None:
        """The account is deleted; its secondary calendars are so many seconds later."""
        self.revoke(account)
        self.calendars.leave(self._account(account), seconds)

    def security_event(self, account: str, event: str, body: dict[str, Any]) -> dict[str, Any]:
        """Google tells the app's project of something that has happened to the account."""
        return self.risc.tell(event, self._account(account), body)

    def service_account(self, configures: bool) -> dict[str, Any]:
        """A key with which a program calls Google in its own name."""
        return self.risc.service_account(configures)

    def dump(self, account: str | None) -> dict[str, Any]:
        """Calendars and all their events, deleted ones too."""
        chosen = [self._account(account)] if account else [row["email"] for row in self.calendars.accounts()]
        result: dict[str, Any] = {}
        with self.state.transaction():
            for email in chosen:
                calendars = []
                for cal in self.calendars.of(email):
                    rows = self.events.store.rows(cal, cal.change, "1", (), "seq")
                    items = [render.event(cal, each, cal.zone) for each in rows]
                    calendars.append(self.calendar_v3.calendar_api.get(cal) | {"events": items})
                clients = [grant["client_id"] for grant in self.grants.of_account(email)]
                result[email] = {"calendars": calendars, "clients": clients}
        return {"accounts": result}

    def switch(self, account: str | None, values: dict[str, Any]) -> dict[str, Any]:
        """`testing`: whether the apps' consent screens are in the status "Testing"; and how messages are pushed."""
        if account is not None or not values or set(values) - {"testing", *push.SWITCHES}:
            raise BadInput(f"Google has the switches testing, {', '.join(push.SWITCHES)}, of no account.")
        if not isinstance(values.get("testing", True), bool):
            raise BadInput("testing must be true or false.")
        push.switch(self.pushes, {name: value for name, value in values.items() if name in push.SWITCHES})
        if "testing" in values:
            self.state.put("google: testing", "on" if values["testing"] else "off")
        return values

    def cursor_of(self, request: Request) -> str:
        """The sync token of a list call."""
        return request.query.get("syncToken", "")

    def expire_token(self, token: str) -> None:
        """Ends an access token's life."""
        self.grants.prolong(token, 0)

    def expire_cursor(self, cursor: str) -> None:
        """Ends a sync token's life."""
        self.state.kill_cursor(cursor)

    def error_response(self, status: int) -> Response:
        """The body one meets most often under that status."""
        return errors.usual(status).response()

    def forget(self) -> None:
        """Empties the quota windows."""
        self.calendar_v3.per_user.clear()
        self.calendar_v3.per_project.clear()

    def _part(self, part: Request, outer: Request) -> Response:
        return self.faults.around(self, part, self._inner, outer.plain_path)

    def _inner(self, part: Request) -> Response:
        if not part.path.startswith(f"{PREFIX}/"):
            return errors.not_found().response()
        return self.calendar_v3.handle(part)

    def _certificates(self, request: Request) -> Response:
        response = json_response(id_token.certificates(self.state))
        response.headers["Cache-Control"] = "public, max-age=22000, must-revalidate, no-transform"
        return response

    def _account(self, name: str) -> str:
        row = self.calendars.account(name)
        if row is None:
            raise BadInput(f"There is no account {name!r} at this vendor.")
        return str(row["email"])
