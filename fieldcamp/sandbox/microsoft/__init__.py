"""Microsoft Graph calendars and the Microsoft identity platform v2, simulated."""

import re
from dataclasses import replace
from typing import Any

from fieldcamp.sandbox.diary import DiaryPages
from fieldcamp.sandbox.faults import Faults
from fieldcamp.sandbox.http import BadInput, Request, Response
from fieldcamp.sandbox.microsoft import batch, errors, push, render, seed
from fieldcamp.sandbox.microsoft.calendars import Account, Calendars
from fieldcamp.sandbox.microsoft.consent import Consent
from fieldcamp.sandbox.microsoft.diary import OutlookDiary
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.graph import PREFIX, Graph
from fieldcamp.sandbox.microsoft.schema import SCHEMA
from fieldcamp.sandbox.microsoft.scopes import short
from fieldcamp.sandbox.microsoft.shares import ROLES
from fieldcamp.sandbox.microsoft.subscription_api import SubscriptionApi
from fieldcamp.sandbox.microsoft.token_api import TokenApi
from fieldcamp.sandbox.oauth import ANY_CLIENT, Grants
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.repeating import Paging
from fieldcamp.sandbox.state import State

DEFAULT_SCOPES = ("offline_access", "openid", "profile", "email", "User.Read", "Calendars.ReadWrite")
_LOGIN = re.compile(
    r"/microsoft/login/(?P<tenant>[\w.\-]{1,100})/(?P<rest>oauth2/v2\.0/(authorize|token)"
    r"|v2\.0/\.well-known/openid-configuration|discovery/v2\.0/keys)",
    re.ASCII,
)


class Microsoft:
    """Implements `fieldcamp.sandbox.vendor.Vendor`."""

    name = "microsoft"
    title = "Microsoft"
    consent_path = re.compile(r"/microsoft/login/[^/]+/oauth2/v2\.0/authorize")
    paging: Paging | None = Paging("value", "@odata.nextLink", "$skiptoken", last="@odata.deltaLink", link=True)

    def __init__(self, state: State, faults: Faults, pushes: Pushes) -> None:
        state.install(SCHEMA)
        self.state, self.faults = state, faults
        self.grants = Grants(state, self.name)
        self.calendars = Calendars(state)
        self.events = Events(state, self.calendars)
        self.push = push.GraphPush(pushes, self._described)
        pushes.register(self.push)
        subscription_api = SubscriptionApi(self.push, self.calendars)
        self.graph = Graph(state, self.calendars, self.events, self.grants, subscription_api)
        self.tokens, self.consent = TokenApi(self.calendars, self.grants), Consent(self.calendars, self.grants)
        self.tokens.access_withdrawn = self.push.access_withdrawn
        self.ui = DiaryPages(OutlookDiary(self.events, self.tokens), state, self.grants)

    @property
    def throttled(self) -> bool:
        """Whether quotas apply."""
        return self.graph.lanes.enabled

    @throttled.setter
    def throttled(self, enabled: bool) -> None:
        self.graph.lanes.enabled = enabled
        self.forget()

    def handle(self, request: Request) -> Response:
        """Answers a call below /microsoft."""
        login = _LOGIN.fullmatch(request.path)
        if login:
            return self._sign_in(request, login["tenant"], login["rest"])
        if request.plain_path == f"{PREFIX}/$batch" and request.method == "POST":
            return self._batch(request)
        if request.path == "/microsoft/graph/oidc/userinfo":
            return self.tokens.user_info(request)
        if request.path.startswith(f"{PREFIX}/"):
            return self.graph.handle(request)
        return errors.no_segment(request.path).response()

    def page(self, request: Request) -> Response:
        """Answers a call below /microsoft/ui."""
        return self.ui.handle(request)

    def seed(self, seed_name: str) -> None:
        """Makes the sample accounts; all seeds but "empty" also give them a few events."""
        seed.fill(self.calendars, self.events, seed_name)

    def token(self, account: str, scopes: list[str] | None, client_id: str | None) -> dict[str, Any]:
        """A token answer with a refresh token; without a client id, one that any client may refresh."""
        email = self._account(account).email
        wanted = set(scopes or DEFAULT_SCOPES)
        unknown = sorted(scope for scope in wanted if short(scope) is None)
        if unknown:
            raise BadInput(f"Microsoft has no scope {unknown[0]!r}.")
        with self.state.transaction():
            grant, _ = self.grants.allow(email, client_id or ANY_CLIENT, wanted)
            return self.tokens.answer_for("https://login.microsoftonline.com", email, grant, wanted)

    def revoke(self, account: str) -> int:
        """Removes every app's access to the account."""
        grants = self.grants.of_account(self._account(account).email)
        with self.state.transaction():
            for grant in grants:
                self.tokens.forget(grant["n"])
        return len(grants)

    def bulk(self, account: str, counts: dict[str, int]) -> dict[str, int]:
        """Makes events in the account's own calendar."""
        if set(counts) != {"events"}:
            raise BadInput("Microsoft has events only.")
        seed.bulk(self.events, self._account(account), counts["events"])
        return counts

    def restore(self, account: str, event: str) -> dict[str, Any]:
        """Moves an event out of Deleted Items into its calendar; its immutable id stays.

        https://learn.microsoft.com/graph/outlook-immutable-id
        """
        found = self.events.restore(self._account(account), event)
        return render.event(found, render.Shape(immutable=True, text=True))

    def share(self, account: str, calendar: str, colleague: str, role: str | None) -> dict[str, Any]:
        """The owner invites a colleague, who accepts; with None it is shared no more.

        Both happen in Outlook: https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar
        """
        try:
            cal = self.calendars.find(self._account(account).email, calendar or None)
        except errors.GraphError:
            raise BadInput("This account has no such calendar.") from None
        friend = self._account(colleague)
        if role is None:
            self.calendars.shares.remove(cal.n, friend.email)
            return {"calendar": None, "role": None}
        if role not in ROLES:
            raise BadInput(f"role must be one of {', '.join(ROLES)}, or null.")
        made = self.calendars.shares.put(cal.n, friend.email, friend.mailbox, role, accepted=True)
        return {"calendar": made.copy_id, "role": role}

    def invite(self, account: str, event: str, colleague: str) -> dict[str, Any]:
        """Makes a colleague the guest of one instance of a series."""
        shape = render.Shape(immutable=True, text=True)
        try:
            found = self.events.get(self._account(account), event, immutable=True)
        except errors.GraphError:
            raise BadInput("There is no such event.") from None
        if found.series is None:
            raise BadInput("This is no occurrence of a series.")
        ical_uid = str(render.event(found, shape)["iCalUId"])
        return render.event(self.events.guests.invite_alone(found, self._account(colleague), ical_uid), shape)

    def leave(self, account: str, seconds: float) -> None:
        """The user is deleted: nobody reaches the mailbox any more, those with whom it was shared neither."""
        self.revoke(account)
        for cal in self.calendars.of(self._account(account).email):
            self.calendars.remove(cal)

    def certificate(self, client_id: str, pem: str, registered: bool) -> dict[str, Any]:
        """Somebody uploads an app's certificate in the portal, or removes it."""
        return {"thumbprint": self.tokens.certificates.upload(client_id, pem, registered)}

    def dump(self, account: str | None) -> dict[str, Any]:
        """Calendars and their events, series with their exceptions; what is deleted is not shown, as at Graph."""
        chosen = [self._account(account)] if account else self.calendars.accounts()
        shape = render.Shape(immutable=True, text=True)
        result: dict[str, Any] = {}
        with self.state.transaction():
            for each in chosen:
                shown = []
                for cal in self.calendars.of(each.email):
                    rows = self.events.store.rows(cal, "NOT deleted")
                    shown.append(self.calendars.render(cal) | {"events": [render.event(row, shape) for row in rows]})
                clients = [grant["client_id"] for grant in self.grants.of_account(each.email)]
                result[each.email] = {"calendars": shown, "clients": clients}
        return {"accounts": result}

    def switch(self, account: str | None, values: dict[str, Any]) -> dict[str, Any]:
        """How notices are pushed."""
        if account is not None or not values:
            raise BadInput(f"Microsoft has the switches {', '.join(push.SWITCHES)}, of no account.")
        with self.state.transaction():
            return push.switch(self.push.pushes, values)

    def cursor_of(self, request: Request) -> str:
        """The token of a delta call: of the next round, or of the next page."""
        options = {name.lower(): value for name, value in request.query.items(multi=True)}
        return options.get("$deltatoken") or options.get("$skiptoken") or ""

    def expire_token(self, token: str) -> None:
        """Ends an access token's life."""
        self.grants.prolong(token, 0)

    def expire_cursor(self, cursor: str) -> None:
        """Ends a delta token's life."""
        self.state.kill_cursor(cursor)

    def error_response(self, status: int) -> Response:
        """The body one meets most often under that status."""
        return errors.usual(status).response()

    def forget(self) -> None:
        """Empties the quota windows."""
        self.graph.lanes.clear()

    def _sign_in(self, request: Request, tenant: str, rest: str) -> Response:
        if rest.endswith("authorize"):
            return self.consent.handle(request)
        if rest.endswith("token"):
            return self.tokens.token(request)
        return self.tokens.keys() if rest.endswith("keys") else self.tokens.discovery(request, tenant)

    def _batch(self, request: Request) -> Response:
        try:
            token = self.graph.token(request)
            key = f"{token.client_id} {token.account}"
            return batch.answer(
                request,
                lambda part: self.faults.around(self, part, self._inner, request.plain_path),
                lambda places: self.graph.lanes.enter(request, key, places),
            )
        except errors.GraphError as error:
            return error.response()

    def _inner(self, part: Request) -> Response:
        return self.graph.handle(part, in_batch=True)

    def _described(self, email: str, core: bytes, immutable: bool) -> tuple[str, str, str] | None:
        """An event's id as that mailbox has it, its etag, and the owner; None where it has none (any more)."""
        found, account = self.events.store.get(core), self.calendars.the_account(email)
        cal = self.calendars.seen(email, found.cal) if found else None
        if found is None or cal is None or not cal.can_read:
            return None
        return replace(found, mailbox=account.mailbox).id(immutable), render.etag_of(found), account.oid

    def _account(self, name: str) -> Account:
        found = self.calendars.account(name)
        if found is None:
            raise BadInput(f"There is no account {name!r} at this vendor.")
        return found
