"""One deadline for a whole call: looking the name up, connecting, TLS, each byte of the request and of the answer.

Time-outs of requests and urllib3 are for each connection attempt and for each read, so a server that sends a byte now
and then holds its caller for ever, and the lookup of a name (`getaddrinfo`) has none at all. urllib3 lets its
connections be replaced (`ConnectionCls`), and http.client its answers (`response_class`); both ask here before each
step how long it may take.
"""

import http.client
import io
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from integrations.transport.lookups import lookups

NONE = float("inf")
_PIECE = 16_384  # bytes; TLS sends so much in one step
_ends: ContextVar[float] = ContextVar("deadline", default=NONE)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Lets all that is sent and read inside take so many seconds together, or less where that is so around it."""
    token = _ends.set(min(_ends.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends.reset(token)


def left(ends: float | None = None) -> float:
    """Returns the seconds until the deadline (or until `ends`); infinity where there is none. Raises `TimeoutError`
    where it has passed."""
    seconds = (_ends.get() if ends is None else ends) - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("The call has taken as long as it may.")
    return seconds


def _step(sock: socket.socket, usual: float | None, ends: float | None = None) -> None:
    """Gives the socket's next step the usual time-out, or what is left."""
    seconds = min(left(ends), NONE if usual is None else usual)
    sock.settimeout(None if seconds == NONE else seconds)


class _TimedReads(io.RawIOBase):
    """Reads a socket, by a deadline. `raw` is what `socket.makefile` reads it with, which keeps it open."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends: float):
        self._raw, self._sock, self._ends, self._usual = raw, sock, ends, sock.gettimeout()
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        _step(self._sock, self._usual, min(self._ends, _ends.get()))
        count = self._raw.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


class TimedAnswer(http.client.HTTPResponse):
    """An answer that is read by the deadline that held when it began, or an earlier one that holds now: status, headers
    (after however many interim answers) and body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        raw: Any = self.fp.detach()
        self._reads = _TimedReads(raw, sock, _ends.get())
        self.fp = io.BufferedReader(self._reads)

    def begin(self) -> None:
        """Reads status and headers. Raises what urllib3 takes for a lost answer where the connection ends among them
        (http.client takes the headers until there for all of them)."""
        super().begin()
        if self._reads.ended:
            self.close()
            raise http.client.RemoteDisconnected("The connection ended among the headers.")


class TimedConnection(HTTPConnection):
    """A connection that is made, and sent through, by the deadline."""

    response_class = TimedAnswer

    def addresses(self) -> list[str]:
        """Returns where it may connect to, in the order in which that is tried. Raises `TimeoutError`, `OSError`."""
        return lookups.find(self._dns_host, self.port, left())

    def _new_conn(self) -> socket.socket:
        """Connects to the first address that answers; each gets its share of the time that is left."""
        try:
            addresses = self.addresses()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"Looking up {self.host} took too long.") from error
        except OSError as error:
            raise NameResolutionError(self.host, self, socket.gaierror(*error.args)) from error
        trouble: OSError = OSError("The name has no address.")
        for number, address in enumerate(addresses):
            try:
                share = min(left() / (len(addresses) - number), NONE if self.timeout is None else self.timeout)
                sock = create_connection(
                    (address, self.port),
                    None if share == NONE else share,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                trouble = error
                continue
            sys.audit("http.client.connect", self, self.host, self.port)
            _step(sock, self.timeout)  # TLS is next: Python bounds a whole handshake by it
            return sock
        if isinstance(trouble, TimeoutError):
            raise ConnectTimeoutError(self, f"Connecting to {self.host} took too long.") from trouble
        raise NewConnectionError(self, f"Failed to establish a new connection: {trouble}") from trouble

    def send(self, data: Any) -> None:
        """Sends by pieces, since a server that reads slowly gets a time-out of its own with each of them."""
        pieces = [data]
        if isinstance(data, bytes):
            pieces = [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
        for piece in pieces:
            if self.sock is None and self.auto_open:
                self.connect()
            if self.sock is not None:
                _step(self.sock, self.timeout)
            super().send(piece)


class TimedTLSConnection(TimedConnection, HTTPSConnection):
    """The same with TLS."""


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = TimedConnection


class _TimedTLSPool(HTTPSConnectionPool):
    ConnectionCls = TimedTLSConnection


_POOLS = {"http": _TimedPool, "https": _TimedTLSPool}


class DeadlineAdapter(HTTPAdapter):
    """Sends as requests does, by the deadline of `within`, through a proxy of HTTP as well."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
