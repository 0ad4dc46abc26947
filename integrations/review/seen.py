"""What was asked and what came back, as it is written into the evidence: without a secret and without whole pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from fieldcamp.redaction import REDACTED, redact

LONGEST = 400  # characters of an answer that are kept
SHOWN_HEADERS = (
    "cache-control", "content-security-policy", "content-type", "etag", "location", "referrer-policy", "retry-after",
    "set-cookie", "strict-transport-security", "vary", "x-content-type-options", "x-frame-options", "allow",
)  # fmt: skip
_QUERY = re.compile(r"([?&][\w.-]+=)[^&\s\"'<>]*")


class Unmet(Exception):
    """The requirement is not met; the text says what was seen instead."""


def expect(condition: object, sentence: str) -> None:
    """Raises Unmet with the sentence unless the condition holds."""
    if not condition:
        raise Unmet(sentence)


@dataclass(slots=True)
class Exchange:
    """One thing that was asked of the product: a request, a command, or a look at what it has written."""

    asked: str
    answered: str
    headers: dict[str, str] = field(default_factory=dict)
    excerpt: str = ""


class Witness:
    """Keeps the exchanges of the row that is being asked, and the secrets that must not be in them."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._secrets: set[str] = set()

    def hide(self, *secrets: str) -> None:
        """Has these never be written, wherever they stand."""
        self._secrets |= {secret for secret in secrets if len(secret) >= 8}

    def take(self) -> list[Exchange]:
        """Returns what was asked since the last time."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def heard(self, response: Any, *_: Any, **__: Any) -> Any:
        """Notes an answer, as a hook of `requests`."""
        request = response.request
        self.note(
            f"{request.method} {without_values(request.url)}",
            f"{response.status_code} {response.reason or ''}".strip(),
            shown_headers(response.headers),
            excerpt(response),
        )
        for cookie in response.cookies:
            self.hide(cookie.value or "")
        return response

    def note(self, asked: str, answered: str, headers: Mapping[str, str] | None = None, text: str = "") -> None:
        """Notes one exchange."""
        safe = {name: self.clean(value) for name, value in (headers or {}).items()}
        self.exchanges.append(Exchange(self.clean(asked), self.clean(answered), safe, self.clean(text)[:LONGEST]))

    def clean(self, text: str) -> str:
        """Returns the text without a secret."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return redact(text)


def without_values(url: str) -> str:
    """Returns the address with the names of its query and without their values: codes and states are among them."""
    return _QUERY.sub(r"\1…", url)


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers that reviewers look at; of cookies the names and flags."""
    found = {name: value for name, value in headers.items() if name.lower() in SHOWN_HEADERS}
    for name, value in found.items():
        if name.lower() == "set-cookie":
            found[name] = re.sub(r"(^\s*|,\s*)([\w-]+)=[^;,]*", rf"\1\2={REDACTED}", value)
        elif name.lower() == "location":
            found[name] = without_values(value)
    return found


def excerpt(response: Any) -> str:
    """Returns what a person would read of the answer. It is cut once secrets are out of it: half of one is known by
    nobody."""
    kind = response.headers.get("Content-Type", "")
    if "html" in kind:
        return " ".join(words(response.text).split())
    return str(response.text) if "json" in kind or kind.startswith("text/") else ""


def words(page: str) -> str:
    """Returns the text of a page in HTML, of its main part where it names one."""
    if found := re.search(r"(?is)<main\b.*</main>", page):
        page = found.group()
    page = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", page)
    return unescape(re.sub(r"<[^>]+>", " ", page))


def around(text: str, word: str, width: int = 80) -> str:
    """Returns where the word stands in the text."""
    at = text.find(word)
    return " ".join(text[max(0, at - width) : at + len(word) + width].split()) if at >= 0 else ""
