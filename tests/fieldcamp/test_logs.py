"""What stands in a line of the log, whoever writes it."""

import json
import logging

import pytest
from django.test import RequestFactory

from fieldcamp.logs import logging_config


@pytest.fixture
def line(monkeypatch):
    """The words in a line that the standard library's loggers write with these extras."""
    for name in ("addHandler", "setLevel"):  # the tests' own handlers and levels stay
        monkeypatch.setattr(logging.root, name, lambda value: None)
    seen = {}
    monkeypatch.setattr(logging.config, "dictConfig", seen.update)
    logging_config("INFO", "json")
    options = seen["formatters"]["line"]
    formatter = options.pop("()")(**options)

    def line(**extra) -> dict:
        record = logging.getLogger("django.request").makeRecord(
            "django.request", logging.WARNING, "", 0, "Conflict", (), None, extra=extra
        )
        return json.loads(formatter.format(record))

    return line


def test_a_request_that_is_logged_shows_no_code(line):
    code = "AB11tQiXiI8FinMrJ5tBK0Cp915kiGftn29VzJ5b5buvRRPd"
    request = RequestFactory().get("/accounts/quickbooks/login/callback/", {"code": code, "realmId": "9130001"})
    written = line(request=request, status_code=409, parts=[{"address": f"/?code={code}"}], known=None)
    assert code not in json.dumps(written)
    assert "/accounts/quickbooks/login/callback/" in written["request"] and "9130001" in written["request"]
    assert (written["status_code"], written["known"], written["event"]) == (409, None, "Conflict")
