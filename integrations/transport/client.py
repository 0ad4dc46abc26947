"""The one exit to the network: budget, token, send, classify.

A call that is sent twice is sent with the same bytes. What may be sent twice: reads, and what the caller calls
`retry_safe`. A refusal (401, rate limit) was not carried out and may always be repeated; a lost answer may have been.
"""

import datetime as dt
import random as random_module
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from urllib3.exceptions import HTTPError, ReadTimeoutError

from integrations.errors import (
    AccessRefused,
    Misconfigured,
    NeedsReconnect,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
)
from integrations.transport import deadlines, exchanges
from integrations.transport import patience as waiting
from integrations.transport.answers import take_body, time_out, whole_if_json
from integrations.transport.budget import Budget
from integrations.transport.credentials import as_it_is
from integrations.transport.hosts import is_below
from integrations.transport.meter import Meter, Metered, Sent
from integrations.transport.outcomes import WAIT_CAP, checked, refused_although_renewed
from integrations.transport.session import session as thread_session
from integrations.transport.vendor import TokenSource, Vendor

log = structlog.get_logger("integrations_transport")

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 12.0
# One send, with its body, ends well inside the 30 s lease of a job; `before_call` renews the lease before each. What is
# waited for with more patience rests on the heartbeat, which renews the lease meanwhile.
SEND_LIMIT = 20.0
ATTEMPTS = 3
BACKOFF_BASE = 0.5
READING = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
WINDOW = dt.timedelta(seconds=60)
SECOND = dt.timedelta(seconds=1.1)  # clocks and networks jitter


class OneToken:
    """A token that cannot be renewed: during the sign-in, before there is a grant."""

    def __init__(self, token: str):
        self._token = token

    def access_token(self) -> str:
        return self._token

    def renewed(self, rejected: str) -> str:
        raise NeedsReconnect("The access was refused right after it was granted. Connect again.")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _nothing() -> None:
    pass


def _ignore(_status: int | str) -> None:
    pass


class HttpClient:
    """`Http` for one connection (or, without `tokens`, for a token endpoint).

    `request` returns an answer below 300 that is one, or raises a `ProviderError`. `before_call` is called before every
    send and may raise, to stop between two sends; `after_call` is told the status, or what went wrong. Where somebody
    sits before a page (`transport.patience`) nothing is waited for beyond theirs.
    """

    def __init__(
        self,
        provider: Vendor,
        tokens: TokenSource | None,
        *,
        account_id: str = "",
        budget: Budget | None = None,
        meter: Meter | None = None,
        connection_id: str = "",
        before_call: Callable[[], None] = _nothing,
        after_call: Callable[[int | str], None] = _ignore,
        session: requests.Session | None = None,
        attempts: int = ATTEMPTS,
        read_timeout: float = READ_TIMEOUT,
        send_limit: float = SEND_LIMIT,
        clock: Callable[[], dt.datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ):
        self.provider, self.tokens, self.account_id, self.budget = provider, tokens, account_id, budget
        self.connection_id, self.before_call, self.attempts = connection_id, before_call, attempts
        self.read_timeout, self.send_limit, self.after_call, self.meter = read_timeout, send_limit, after_call, meter
        self._session, self._clock, self._sleep, self._random = session, clock, sleep, random
        self._sent: deque[dt.datetime] = deque(maxlen=provider.requests_per_second or 1)

    def request(
        self,
        method: str,
        url: str,
        *,
        cost: int = 1,
        retry_safe: bool | None = None,
        rejects_token: Callable[[requests.Response], bool] | None = None,
        patience: float | None = None,
        reads: bool | None = None,
        metered: Metered = Metered.NO,
        counted: int = 0,
        whole: Callable[[requests.Response], object] = whole_if_json,
        **kwargs: Any,
    ) -> requests.Response:
        """Sends a request; an answer below 300, or a ProviderError. `cost` is how many calls the provider counts for
        its rate, `counted` for the day (as many, if not said), `metered` whether it bills the call, `reads` that it
        changes nothing (by its method, if not said).
        `rejects_token` finds a 401 that hides inside an answer. `whole` raises `Unavailable` for what is no answer:
        that counts as lost. `patience`: so many seconds an answer is waited for instead of the usual ones, since the
        provider may need them; a call that takes longer is not sent again here (`TimedOut`)."""
        method = method.upper()
        safe = method in IDEMPOTENT if retry_safe is None else retry_safe
        reads = method in READING if reads is None else reads
        self._check_host(url)
        token = self.tokens.access_token() if self.tokens else None
        replayed = False
        attempt = 1
        while True:
            if self.meter and metered is Metered.YES:
                self.meter.admit(self._clock())
            if self.budget:
                self._wait_for_budget(cost)
            self._keep_pace()
            try:
                response = self._send(method, url, token, attempt, patience, reads, metered, counted or cost, kwargs)
                refused = response.status_code == 401 or (rejects_token is not None and rejects_token(response))
                if refused and token and self.tokens:
                    if replayed:
                        raise refused_although_renewed(self.provider, response, self._clock())
                    token, replayed = self.tokens.renewed(rejected=token), True
                    continue
                return checked(self.provider, response, whole, self._clock())
            except TimedOut:
                raise
            except (Unavailable, RateLimited) as error:
                self._wait_before_retry(error, attempt, safe or isinstance(error, AccessRefused))
            attempt += 1

    def slow_down(self) -> None:
        """Paces this account's calls for a while: one of them was refused for its rate."""
        if self.budget:
            self.budget.slow_down(self._clock())

    def _check_host(self, url: str) -> None:
        """Refuses to send a token anywhere but to the provider's own addresses, also when a next-link says
        otherwise."""
        if self.tokens and not any(is_below(url, base) for base in self.provider.hosts(self.account_id)):
            raise Misconfigured(f"{self.provider.label} named an address that is not its own; nothing was sent there.")

    def _wait_for_budget(self, cost: int) -> None:
        waited = 0.0
        while (wait := self.budget.take(cost, self._clock())) > 0:  # type: ignore[union-attr]
            if waited + wait > WAIT_CAP or wait > self._left():
                raise RateLimited(
                    f"FieldCamp has used up this minute's calls to {self.provider.label}.",
                    retry_at=self._clock() + dt.timedelta(seconds=wait),
                )
            waiting.pause(self._sleep, wait)
            waited += wait

    def _keep_pace(self) -> None:
        """Keeps a provider next door, or one that answers at once, from being asked more often in a second than it
        allows."""
        now = self._clock()
        if self.provider.requests_per_second and len(self._sent) == self._sent.maxlen:
            wait = (self._sent[0] + SECOND - now).total_seconds()
            if wait > 0:
                waiting.pause(self._sleep, wait)
                now = self._clock()
        self._sent.append(now)

    def _send(
        self,
        method: str,
        url: str,
        token: str | None,
        attempt: int,
        patience: float | None,
        reads: bool,
        metered: Metered,
        counted: int,
        kwargs: dict[str, Any],
    ) -> requests.Response:
        self.before_call()
        started = self._clock()
        left = self._left()
        status: int | str = "lost"
        trace = ""
        longest = min(left, self.send_limit + (patience or 0.0))
        try:
            with deadlines.within(longest):
                response = (self._session or thread_session()).request(
                    method,
                    url,
                    auth=self.provider.authorize(token) if token else as_it_is,
                    timeout=time_out(left, CONNECT_TIMEOUT, patience or self.read_timeout),
                    allow_redirects=False,
                    stream=True,
                    **kwargs,
                )
                trace = self.provider.trace(response)
                with response:
                    take_body(response, left=lambda: longest - (self._clock() - started).total_seconds())
            status = response.status_code
        except (requests.RequestException, HTTPError) as error:
            status = type(error).__name__
            in_vain = patience is not None and isinstance(error, requests.ReadTimeout | ReadTimeoutError)
            raise (TimedOut if in_vain else Unavailable)(
                f"{self.provider.label} did not answer.", detail=status
            ) from None
        finally:
            parts = urlsplit(self.provider.shown_address(url))
            took = (self._clock() - started).total_seconds()
            waiting.spend(took)
            ms = round(took * 1000)
            log.info(
                "provider_call",
                method=method,
                url=f"{parts.netloc}{parts.path}",
                status=status,
                ms=ms,
                attempt=attempt,
                connection_id=self.connection_id,
                trace=trace,
            )
            self.after_call(status)
            sent = Sent(started, method, parts.path, status, ms, trace, reads, metered, counted)
            if self.tokens:
                exchanges.note(sent)
            if self.meter:
                self.meter.count(sent)
        return response

    def _left(self) -> float:
        """Returns how many seconds may be waited for. Raises `Unavailable` where there are none left."""
        if (seconds := waiting.left()) <= 0:
            raise Unavailable(f"{self.provider.label} takes too long at the moment. Try again in a few minutes.")
        return seconds

    def _wait_before_retry(self, error: ProviderError, attempt: int, safe: bool) -> None:
        """Waits, or raises the error where waiting here does not help."""
        wait = BACKOFF_BASE * 2 ** (attempt - 1) * (1 + self._random())
        if isinstance(error, RateLimited):
            self.slow_down()
            asked = (error.retry_at - self._clock()).total_seconds()
            if self.tokens and self.provider.requests_per_second and attempt == 1 and not error.explicit:
                # Another process has used up this second, perhaps, which is over sooner than what is usual to wait.
                asked = SECOND.total_seconds()
            if asked > WAIT_CAP:
                raise error
            if attempt >= self.attempts:
                # The vendor's window is a minute, and a burst is punished in the next one.
                error.retry_at = self._clock() + WINDOW * (1 - self._random() / 4)
                raise error
            wait = max(wait, asked)
        elif not safe or attempt >= self.attempts:
            raise error
        if wait >= waiting.left():
            raise error
        waiting.pause(self._sleep, wait)
