"""The wire: one post, its answer, and which addresses are posted to at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
import urllib3

LONGEST_ANSWER = 16_384


@dataclass(frozen=True)
class Post:
    """One request to a receiver. `seconds`: how long the vendor waits for the answer."""

    url: str
    headers: dict[str, str]
    body: bytes = b""
    seconds: float = 10.0


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 is no answer at all, and `why` says in a sentence why. `seconds` is how long it took."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    why: str = ""
    timed_out: bool = False


Deliver = Callable[[Post], Answer]


class Wire:
    """Posts to receivers. `deliver` is how: the real one, or a test's own.

    `anywhere`: not only to this machine. `plain_http`: the vendors' rule that receivers speak https is off for
    receivers on this machine.
    """

    def __init__(self) -> None:
        self.anywhere = self.plain_http = False
        self.deliver: Deliver | None = None

    def post(self, post: Post) -> Answer:
        """The answer. An answer that comes too late is none; the receiver may have done its work all the same."""
        started = time.monotonic()
        try:
            answer = self.deliver(post) if self.deliver else self._really(post)
            if not isinstance(answer, Answer):
                raise TypeError("deliver has to return an Answer")
        except Exception as error:  # a receiver in this process may fail as it likes
            return Answer(0, seconds=time.monotonic() - started, why=f"{type(error).__name__}: {error}"[:300])
        if answer.timed_out or answer.seconds > post.seconds:
            return Answer(0, seconds=answer.seconds, why="No answer in time.", timed_out=True)
        return answer

    def takes(self, url: object, longest: int = 2048) -> bool:
        """Whether it is an address that vendors take for a receiver: https, or on this machine http where allowed."""
        if not isinstance(url, str) or len(url) > longest or not url.isascii() or any(c <= " " for c in url):
            return False
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018  raises on a port that is no number
        except ValueError:
            return False
        if not parts.hostname or parts.username is not None or parts.fragment:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and self.plain_http and is_loopback(parts.hostname))

    def _really(self, post: Post) -> Answer:
        host = urlsplit(post.url).hostname or ""
        if not self.anywhere and not is_loopback(host):
            return Answer(
                0, why="Not sent: the receiver is not on this machine (start the sandbox with --push-anywhere)."
            )
        # A certificate that nobody has signed is what a receiver on this machine has.
        verify = not is_loopback(host)
        started = time.monotonic()
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    post.url,
                    data=post.body,
                    headers=post.headers,
                    timeout=urllib3.Timeout(total=post.seconds),  # type: ignore[arg-type]
                    allow_redirects=False,
                    stream=True,
                    verify=verify,
                ) as response:
                    body = b""
                    # Piece by piece: a receiver that sends a byte a second is too late as well.
                    while (taken := time.monotonic() - started) <= post.seconds and len(body) < LONGEST_ANSWER:
                        piece = response.raw.read1(LONGEST_ANSWER, decode_content=True)
                        if not piece:
                            break
                        body += piece
                    return Answer(response.status_code, dict(response.headers), body, taken)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            taken = time.monotonic() - started
            late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError)
            return Answer(0, seconds=taken, why=f"No connection or no answer: {type(error).__name__}.", timed_out=late)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name alone: `localhost` and what is below it, or a loopback address."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The receiver's host with its port."""
    return urlsplit(url).netloc
