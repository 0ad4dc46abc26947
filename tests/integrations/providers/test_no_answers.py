"""What stands between us and a vendor answers as well: that is never the vendor's word, whatever its status."""

import gzip
import re

import pytest
import requests

from integrations import errors
from integrations.paging import getting_on
from integrations.providers import PROVIDERS
from integrations.transport.answers import LONGEST_BODY
from tests.integrations.engine import PEOPLE
from tests.integrations.providers.contract import NOW, WINDOW, AtIntuit, Calendar

HTML, JSON = "text/html; charset=utf-8", "application/json"
NO_ANSWERS = {
    "a sign-in page": (HTML, "<html><body>Welcome to our network</body></html>"),
    "nothing": (JSON, ""),
    "a part": (JSON, '{"items": [{"id": "a'),
    "a list": (JSON, "[]"),
    "null": (JSON, "null"),
    "an empty object": (JSON, "{}"),
    "rows that are none": (JSON, '{"items": 7, "value": {}, "QueryResponse": [], "CDCResponse": {}, '
                                 '"nextSyncToken": "x", "@odata.deltaLink": "x"}'),
    "no rows": (JSON, '{"nextSyncToken": "x", "@odata.deltaLink": "x", "time": "2026-11-20T00:00:00Z"}'),
    "two documents": (JSON, '{"items": []}{"items": []}'),
    "brackets without end": (JSON, "[" * 200_000),
    "another charset": (JSON, "\x00{\x00}"),
}  # fmt: skip
BODIES = (b"", b"<html>Sign in</html>", b"[1]", b"null", b"{}", b'{"message": "no"}', b'{"error": {"code')


LEGS = [leg for leg in PEOPLE if leg.world == "sandbox"]


@pytest.fixture(params=[LEGS[-1], *(pytest.param(leg, marks=pytest.mark.slow) for leg in (*LEGS[:-1], AtIntuit))],
                ids=lambda leg: leg.vendor)  # fmt: skip
def account(request, sandbox):
    leg = request.param
    return leg(sandbox) if leg is AtIntuit else Calendar(sandbox, leg)


@pytest.mark.slow
def test_a_200_that_is_no_answer_is_asked_again_and_moves_nothing(account):
    account.owner_adds(1)
    expected, cursor = account.listed()
    for name, (kind, body) in NO_ANSWERS.items():
        spec = {"status": 200, "body": body, "headers": {"Content-Type": kind}}
        account.vendors.fault("status", **spec, times=2)
        assert account.listed()[0].keys() == expected.keys(), name
        account.vendors.fault("status", **spec, times=10**6)
        for call in (account.listed, lambda: account.listed(cursor), lambda: account.get(*expected)):
            with pytest.raises(errors.Unavailable):
                call()
        if not isinstance(account, AtIntuit):  # which has the same lists for every company
            with pytest.raises(errors.Unavailable):
                account.client().containers()
        account.vendors.heal()


@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: leg.vendor)
def test_parts_of_a_batch_that_are_swapped_are_nobodys_answer(sandbox, leg):
    account = Calendar(sandbox, leg)
    one, two = account.owner_adds(1), account.owner_adds(2)

    def wrapper(path, send):
        response = send()
        names = (b"item0:", b"item1:") if leg.vendor == "google" else (b'"id":"0"', b'"id":"1"')
        if leg.batch in path:
            assert all(name in response.content for name in names)
            swapped = response.content.replace(names[0], b"@@").replace(names[1], names[0])
            response._content = swapped.replace(b"@@", names[1])
        return response

    account.vendors.around(wrapper)
    with pytest.raises(errors.Unavailable):
        account.get(one, two)


def test_a_list_of_books_that_repeats_itself_ends(sandbox, monkeypatch):
    account = AtIntuit(sandbox)
    account.small_pages(monkeypatch)
    for number in range(1, 4):
        account.owner_adds(number)
    real = account.vendors.adapter.send

    def from_the_start(request, **kwargs):
        request.url = re.sub("STARTPOSITION%20[0-9]+", "STARTPOSITION%201", request.url)
        request.url = re.sub("WHERE%20MetaData.*?%20ORDERBY", "ORDERBY", request.url)
        return real(request, **kwargs)

    monkeypatch.setattr(account.vendors.adapter, "send", from_the_start)
    account.vendors.forget_requests()
    with pytest.raises(errors.Endless):
        list(getting_on(account.client().changes(account.container, "", WINDOW)))
    with pytest.raises(errors.Endless):
        account.client().references("income_account")
    assert len(account.vendors.requests()) < 20


@pytest.mark.parametrize("name", ["google_calendar", "outlook_calendar", "quickbooks"])
def test_no_refusal_of_something_in_between_is_taken_for_the_vendors_word(name):
    for status in (*range(400, 432), 451, 499, *range(500, 512), 520, 599):
        for body in BODIES:
            response = requests.Response()
            response.status_code, response._content = status, body
            error = PROVIDERS[name].explain(response, NOW)
            assert not getattr(error, "proven", False), (status, body)
            assert isinstance(error, errors.Transient) or status in (401, 410), (status, body)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_ends_in_time_and_within_bounds(sandbox, packed):
    """Also one that is sent in a moment and unpacks to more than there is room for."""
    bomb = gzip.compress(b" " * (LONGEST_BODY + 10))

    def endless(path, send):
        response = send()
        headers = {"Content-Encoding": "gzip"} if packed else {}
        raw = requests.packages.urllib3.HTTPResponse(Endless(bomb if packed else b""), headers, 200,
                                                     preload_content=False)  # fmt: skip
        response.raw, response.headers = raw, requests.structures.CaseInsensitiveDict(headers)
        return response

    account = AtIntuit(sandbox)
    account.vendors.around(endless)
    with pytest.raises(errors.Unavailable):
        account.listed()


class Endless:
    """A body that goes on for ever, or one that ends."""

    def __init__(self, body: bytes):
        self.left, self.closed = body, False

    def read1(self, size: int = -1) -> bytes:
        if not self.left:
            return b"x" * size
        head, self.left = self.left[:size], self.left[size:]
        return head

    read = read1

    def close(self) -> None:
        self.closed = True


REFUSALS = (
    b'{"error": null}', b'{"error": 5}', b'{"error": ["invalid_grant"]}',
    b'{"error": {"code": {"a": 1}, "message": [1]}}',
    b'{"error": {"errors": [null, 5, {"reason": null}]}}', b'{"error": {"innerError": {"code": 5}}}',
    b'{"Fault": {"Error": [null, 5, {"code": 5, "Message": null, "Detail": []}]}}', b'{"Fault": {"Error": {}}}',
    b'{"error": "invalid_grant", "error_codes": "x", "suberror": 5}', b"\xff\xfe\x00", b'{"error": "\\ud800"}',
    b'{"error":' + b"[" * 3000 + b"]" * 3000 + b"}", *BODIES,
)  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.name)
def test_each_refusal_is_one_of_our_errors_and_none_is_proof(provider):
    """Whatever the status, whatever the body: an API that speaks like a token endpoint has not become one."""
    for status in (*range(400, 432), 451, 499, *range(500, 512), 520, 599):
        for body in REFUSALS:
            response = requests.Response()
            response.status_code, response._content, response._content_consumed = status, body, True
            response.url = f"{provider.hosts('1')[0]}/x"
            error = provider.explain(response, NOW)
            assert isinstance(error, errors.ProviderError) and not getattr(error, "proven", False), (status, body[:60])
