"""The web server's worker: gunicorn's with threads, which answers what never reaches Django as the API answers.

gunicorn has one place where it writes such answers itself, in HTML: for headers that it cannot read, lines that are too
long, or an application that does not start. https://github.com/benoitc/gunicorn/blob/master/gunicorn/util.py
"""

import json
from http import HTTPStatus
from socket import socket

import structlog
from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from fieldcamp.ids import new_id

log = structlog.get_logger(__name__)


class EnvelopeWorker(ThreadWorker):
    """`gunicorn --worker-class fieldcamp.serving.EnvelopeWorker`."""

    def init_process(self) -> None:
        util.write_error = write_error
        super().init_process()


def write_error(sock: socket, status: int, reason: str, message: str) -> None:
    """Writes the envelope of an error and says that the connection ends. What exactly was wrong stands in the log
    alone: it may hold parts of a secret header."""
    from fieldcamp.api.errors import ApiError, error_body  # a worker that has loaded the site, or tries to

    request_id = new_id("req")
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        error = ApiError("INTERNAL_ERROR")
    else:
        sentence = f"The web server cannot read this request ({reason}). Check its first line, headers and body."
        error = ApiError("VALIDATION_ERROR", sentence)
    body = json.dumps(error_body(error, request_id)).encode()
    log.info("request_not_readable", status=status, request_id=request_id)
    head = (
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        "Cache-Control: no-store",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
    )
    util.write_nonblock(sock, "\r\n".join((*head, "", "")).encode("latin1") + body)
