"""Serves the sandbox on a socket: threads, connections that stay open, and faults that reach the wire."""

import io
import logging
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from fieldcamp.sandbox.app import Sandbox, create_app
from fieldcamp.sandbox.http import MAX_BODY, Dropped

log = logging.getLogger("fieldcamp.sandbox")

IDLE_SECONDS = 75
ENOUGH_SECONDS = 10  # for the answers that are on their way when the server is closed


class Handler(BaseHTTPRequestHandler):
    """Runs the program for each request of a connection.

    Werkzeug's and wsgiref's handlers end the connection after each answer; clients under test are to reuse theirs.
    """

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    server: "Server"

    def run(self) -> None:
        """Answers one request."""
        body = self._body()
        if body is None:
            return
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answered[:] = [status, headers]

        try:
            with self.server.answering():
                chunks = self.server.app(self._environ(body), start_response)
        except Dropped:
            self._abort()
            return
        status, headers = answered
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        self.send_header("Date", self.date_time_string())
        promised = None
        for name, value in headers:
            self.send_header(name, value)
            if name == "Content-Length":
                promised = int(value)
        if promised is None and int(code) not in (204, 304):
            self._stream(chunks)
            return
        self.end_headers()
        content = b"".join(chunks)
        self.wfile.write(content)
        if promised is not None and len(content) < promised and self.command != "HEAD":
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = run

    def log_message(self, format: str, *args: Any) -> None:
        """Stays quiet; `/_control/requests` has what was received."""

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "RAW_URI": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.url_scheme": "https" if self.server.tls else "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in self.headers.items():
            if name.lower() not in ("content-type", "content-length", "transfer-encoding"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def _body(self) -> bytes | None:
        """The request's body, all of it, so that the next request on the connection begins where it should."""
        try:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return self._chunks()
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= MAX_BODY:
                raise ValueError("length out of range")
            return self.rfile.read(length)
        except ValueError:
            self.close_connection = True
            self.send_error(400)
            return None

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        size = -1
        while size != 0:
            size = int(self.rfile.readline(100).split(b";")[0], 16)
            if size < 0 or sum(map(len, parts)) + size > MAX_BODY:
                raise ValueError("chunk out of range")
            parts.append(self.rfile.read(size))
            self.rfile.readline(100)
        return b"".join(parts)

    def _stream(self, chunks: Iterable[bytes]) -> None:
        """Sends what has no length, until it ends or the client has had enough."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        for chunk in chunks:
            if chunk:
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _abort(self) -> None:
        """Ends the connection without a byte."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    """The program on a socket."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: Sandbox, tls: bool = False) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)
        self.app, self.tls = app, tls
        self._turns, self._answering, self._closed = threading.Condition(), 0, False
        app.push.courier.start()
        if tls:
            self.socket = self_signed(address[0]).wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around each answer. Dropped once the server is closed: connections stay open, but the program is gone."""
        with self._turns:
            if self._closed:
                raise Dropped
            self._answering += 1
        try:
            yield
        finally:
            with self._turns:
                self._answering -= 1
                self._turns.notify_all()

    def server_close(self) -> None:
        """Closes the socket when all that was asked for is answered, so that the program may be closed next."""
        super().server_close()
        self.app.push.courier.stop()
        with self._turns:
            self._closed = True
            self._turns.wait_for(lambda: not self._answering, timeout=ENOUGH_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to report."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("connection from %s failed", client_address, exc_info=error)


def serve(
    port: int,
    state_path: str | None,
    tls: bool = False,
    host: str = "127.0.0.1",
    seed: str = "demo",
    push_anywhere: bool = False,
    push_http: bool = False,
) -> None:
    """Serves until SIGTERM or SIGINT, at the vendors' usual pace. Receivers of pushes are on this machine, or with
    `push_anywhere` wherever they are; with `push_http` those on this machine may do without https."""
    app = create_app(state_path, seed, as_slow_as_usual=True)
    app.push.wire.anywhere, app.push.wire.plain_http = push_anywhere, push_http
    server = Server((host, port), app, tls)

    def stop(signum: int, frame: Any) -> None:
        # shutdown() waits for the loop that this very handler interrupts: it needs a thread of its own.
        threading.Thread(target=server.shutdown).start()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    scheme = "https" if tls else "http"
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"Sandbox on {scheme}://{shown}:{server.server_port}/\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        app.close()


def self_signed(host: str) -> ssl.SSLContext:
    """A TLS context with a certificate of its own, good for a year."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "FieldCamp sandbox")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
    if host not in ("localhost", "127.0.0.1", "::1"):
        names.append(x509.DNSName(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sandbox.pem"
        file.write_bytes(pem)
        file.chmod(0o600)
        context.load_cert_chain(file)
    return context
