"""What the review writes down of an answer, and what its own product is started with."""

from pathlib import Path

import pytest
import requests

from integrations.review.own import environment
from integrations.review.seen import LONGEST, REDACTED, Witness

SECRET = "k3y-of-thirty-two-characters-abcd"  # noqa: S105


def answered(text: str, kind: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = 200, text.encode()
    response.headers["Content-Type"] = kind
    response.request = requests.Request("GET", "https://sync.example.com/x").prepare()
    return response


@pytest.mark.parametrize("before", range(LONGEST - len(SECRET) - 1, LONGEST + 1, 8))
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html"])
def test_a_secret_is_taken_out_before_the_text_is_cut(before, kind):
    witness = Witness()
    witness.hide(SECRET)
    witness.heard(answered("x" * (before - 1) + " " + SECRET + " and so on", kind))
    [exchange] = witness.take()
    assert len(exchange.excerpt) <= LONGEST
    assert not any(part in exchange.excerpt for part in (SECRET[:6], SECRET[-6:]))
    assert before > LONGEST - len(REDACTED) or REDACTED in exchange.excerpt


def test_its_own_product_is_reached_past_the_operators_proxy():
    given = dict.fromkeys(("HTTP_PROXY", "https_proxy", "ALL_PROXY"), "http://proxy.test:3128") | {"LANG": "C"}
    made = environment(given, Path("/nowhere"), 8000, 8001)
    assert made["LANG"] == "C" and not any(name.upper().endswith("_PROXY") for name in made)
