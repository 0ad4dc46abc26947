"""What a simulated vendor offers to the rest of the sandbox: one folder per vendor implements this."""

import re
from typing import Any, Protocol, runtime_checkable

from fieldcamp.sandbox.faults import Faults
from fieldcamp.sandbox.http import Request, Response
from fieldcamp.sandbox.oauth import Grants
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.repeating import Paging
from fieldcamp.sandbox.state import State


class Vendor(Protocol):
    """A vendor behind its prefix, e.g. `/google`."""

    name: str
    title: str
    consent_path: re.Pattern[str]  # of the page where a person allows an app
    throttled: bool
    state: State
    grants: Grants
    paging: Paging | None  # how its lists go on by tokens; None: they do not

    def __init__(self, state: State, faults: Faults, pushes: Pushes) -> None: ...

    def handle(self, request: Request) -> Response:
        """Answers a call below the prefix; raises Dropped when there is to be no answer."""

    def page(self, request: Request) -> Response:
        """Answers a call below `/<name>/ui`, the pages for people."""

    def seed(self, seed: str) -> None:
        """Fills the emptied state: "demo" with sample records, "empty" with the accounts alone. "messy" is "demo" with
        difficult records in place of simple ones, where the vendor has some."""

    def token(self, account: str, scopes: list[str] | None, client_id: str | None) -> dict[str, Any]:
        """The token answer a consent would lead to; BadInput for an unknown account."""

    def revoke(self, account: str) -> int:
        """Removes every app's access to the account; how many lost it."""

    def bulk(self, account: str, counts: dict[str, int]) -> dict[str, int]:
        """Makes many realistic records at once; BadInput for a kind of record it does not have."""

    def dump(self, account: str | None) -> dict[str, Any]:
        """All records as the vendor would serialize them, by account."""

    def switch(self, account: str | None, values: dict[str, Any]) -> dict[str, Any]:
        """Sets how the vendor, or one of its accounts, behaves; all its switches. BadInput for one it does not have."""

    def cursor_of(self, request: Request) -> str:
        """The sync cursor a call carries, or an empty string."""

    def expire_token(self, token: str) -> None:
        """This access token is past its time."""

    def expire_cursor(self, cursor: str) -> None:
        """This sync cursor is past its time."""

    def error_response(self, status: int) -> Response:
        """The vendor's usual body for that status."""

    def forget(self) -> None:
        """Drops what is kept in memory only, such as quota windows."""


@runtime_checkable
class Trash(Protocol):
    """What a vendor of calendars offers besides: its owner's way back for what was deleted."""

    def restore(self, account: str, event: str) -> dict[str, Any]:
        """Takes a deleted event out of the trash, under its id; how it is then. BadInput where there is none."""


@runtime_checkable
class Sharing(Protocol):
    """What a vendor of calendars offers besides: what people agree on at its pages, and what is left of who goes."""

    def share(self, account: str, calendar: str, colleague: str, role: str | None) -> dict[str, Any]:
        """The owner shares a calendar (an empty name is the main one) in one of the vendor's own roles and the
        colleague accepts, or with None it is shared no more: under which id (`calendar`) the colleague has it.
        BadInput for what the vendor does not know."""

    def leave(self, account: str, seconds: float) -> None:
        """The account is deleted. What the vendor keeps of its calendars for others ends so many seconds later."""


@runtime_checkable
class Invitations(Protocol):
    """What a vendor of calendars offers besides: what its API cannot make."""

    def invite(self, account: str, event: str, colleague: str) -> dict[str, Any]:
        """A colleague is a guest of one occurrence of a series, and has it without its series. BadInput where there is
        no such occurrence."""


@runtime_checkable
class SecurityEvents(Protocol):
    """What a vendor offers besides that tells of its accounts by itself."""

    def security_event(self, account: str, event: str, body: dict[str, Any]) -> dict[str, Any]:
        """Something has happened to the account: the `token` that says so, and which status its receiver has answered
        with (`delivered`; None where nobody is told). BadInput for what the vendor does not tell of."""

    def service_account(self, configures: bool) -> dict[str, Any]:
        """A key file with which a program chooses what it is told, or may not choose it."""


@runtime_checkable
class AppCertificates(Protocol):
    """What a vendor offers besides that knows apps by their certificates."""

    def certificate(self, client_id: str, pem: str, registered: bool) -> dict[str, Any]:
        """An app's certificate is uploaded at the vendor's pages, or removed; its `thumbprint`. BadInput for none."""


@runtime_checkable
class Bookkeeping(Protocol):
    """What a vendor of books offers besides: what a person does on its own pages, for tests."""

    def record(self, account: str, entity: str, object_id: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Keeps an object exactly as given, or with None removes it; its id and SyncToken. BadInput if it cannot be."""

    def merge(self, account: str, entity: str, kept: str, lost: str) -> dict[str, Any]:
        """Makes one object of two; the id that is left. BadInput if they cannot be merged."""


@runtime_checkable
class WebhookPortal(Protocol):
    """What a vendor offers besides whose apps enter the address of their webhooks at its portal."""

    def webhook(self) -> dict[str, Any] | None:
        """The app's endpoint: `url`, `format`, `entities`, `aggregate_seconds`, `verifier`; None without one."""

    def set_webhook(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Enters an endpoint, or changes the one that is there by the fields given; with None deletes it. BadInput for
        what the portal does not take."""
