"""The address that events are sent to, as it is judged when it is saved."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from fieldcamp.webhooks.addresses import AddressRefused, check_address, sentence_of
from fieldcamp.workspace.errors import InvalidFields


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """An address that `checked_url` has looked at: services take no other."""

    text: str


def checked_url(text: str) -> CheckedUrl:
    """Returns the address, if events may be sent there. Raises `InvalidFields` of `url`. Looks the name up, so no
    transaction may be open."""
    try:
        check_address(text)
    except AddressRefused as error:
        raise InvalidFields.of("url", sentence_of(error)) from None
    return CheckedUrl(text)


def is_same_url(one: str, other: str) -> bool:
    """Returns whether both lead to the same place, however they are spelled."""
    return _place(urlsplit(one)) == _place(urlsplit(other))


def _place(parts: SplitResult) -> tuple[str, str | None, int | None, str, str]:
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path or "/", parts.query


def without_query(url: str) -> str:
    """Returns the address as a log may have it: many put a password behind the question mark."""
    head, mark, _ = url.partition("?")
    return f"{head}?…" if mark else head
