"""Permissions: their names, and what each of them reaches. https://learn.microsoft.com/graph/permissions-reference"""

from fieldcamp.sandbox.microsoft import errors

GRAPH = "https://graph.microsoft.com/"
SIGN_IN = ("openid", "profile", "email", "offline_access")
NAMES = {
    "Calendars.ReadWrite": "Read and change your calendars",
    "Calendars.Read": "Read your calendars",
    "MailboxSettings.Read": "Read your mailbox settings",
    "User.Read": "Sign you in and read your profile",
    "offline_access": "Keep the access that you allow",
}
KNOWN = {*NAMES, *SIGN_IN, "Calendars.ReadBasic", "Calendars.ReadWrite.Shared", "Calendars.Read.Shared", ".default",
         "MailboxSettings.ReadWrite", "User.ReadWrite"}  # fmt: skip
_BY_LOWER = {name.lower(): name for name in KNOWN}
_WRITE = {"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"}
_READ = {*_WRITE, "Calendars.Read", "Calendars.Read.Shared", "Calendars.ReadBasic"}


def short(scope: str) -> str | None:
    """A scope's short name; None for one that Graph does not have. Names are the same in any case."""
    return _BY_LOWER.get(scope.removeprefix(GRAPH).lower())


def check_shared(granted: tuple[str, ...], verb: str) -> None:
    """403 when the scopes are for the user's own calendars alone.
    https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar
    """
    held = {short(scope) for scope in granted}
    if not held & ({"Calendars.ReadWrite.Shared"} | ({"Calendars.Read.Shared"} if verb == "GET" else set())):
        raise errors.forbidden()


def check(granted: tuple[str, ...], parts: list[str], verb: str) -> None:
    """403 when the scopes do not reach the address behind the user."""
    held = {short(scope) for scope in granted}
    if not parts or parts[0] == "outlook":
        needed = {"User.Read", "User.ReadWrite"}
    elif parts[0] == "mailboxSettings":
        needed = {"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
    else:
        needed = _READ if verb == "GET" or parts[0] == "translateExchangeIds" else _WRITE
    if not held & needed:
        raise errors.forbidden()
