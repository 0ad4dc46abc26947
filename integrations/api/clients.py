"""Whether somebody still waits for an answer, as far as the server tells."""

import select
import socket
import ssl
from collections.abc import Mapping
from typing import Any


def client_is_gone(environ: Mapping[str, Any]) -> bool:
    """Returns whether the client, or the proxy on its behalf, has closed its connection. WSGI has no word for that;
    gunicorn hands its socket over, and of other servers nothing is known: False.
    https://docs.gunicorn.org/en/stable/faq.html"""
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return False
    if isinstance(connection, ssl.SSLSocket):  # into which nobody can look without reading
        return False
    try:
        waiting = select.poll()
        waiting.register(connection, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(waiting.poll(0)) and connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):  # reset, or closed here already
        return True
