"""Public documents are kept as long as their answers say, and asked for no more often than that."""

import datetime as dt

import pytest
import requests

from integrations.errors import Unavailable
from integrations.transport.published import BRAKE, LONGEST, SHORTEST, USUAL, Published
from tests.faketime import FakeTime

URL = "https://vendor.example/keys"


class Vendor:
    """Answers each call with its number; "down" lets it not answer."""

    def __init__(self):
        self.calls, self.headers, self.down = 0, {}, False

    def request(self, method: str, url: str, **kwargs) -> requests.Response:
        self.calls += 1
        if self.down:
            raise Unavailable("down")
        response = requests.Response()
        response.status_code, response._content = 200, f'{{"n": {self.calls}}}'.encode()
        response.headers.update(self.headers)
        return response


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, USUAL),
        ({"Cache-Control": "public, max-age=22000, must-revalidate"}, dt.timedelta(seconds=22_000)),
        ({"Cache-Control": "public,max-age=22000", "Age": "2000"}, dt.timedelta(seconds=20_000)),
        ({"Cache-Control": "s-maxage=9, max-age=300"}, dt.timedelta(seconds=300)),
        ({"Cache-Control": "max-age=1"}, SHORTEST),
        ({"Cache-Control": "max-age=99999999"}, LONGEST),
        ({"Cache-Control": "no-store, max-age=3000"}, SHORTEST),
        ({"Cache-Control": "max-age=soon", "Age": "x"}, USUAL),
    ],
)
def test_how_long_a_copy_is_kept(time, headers, kept):
    published, vendor = Published(time.clock), Vendor()
    vendor.headers = headers
    assert published.read(vendor, URL) == {"n": 1}
    time.now += kept - dt.timedelta(seconds=1)
    assert published.read(vendor, URL) == {"n": 1}
    time.now += dt.timedelta(seconds=1)
    assert published.read(vendor, URL) == {"n": 2}


def test_who_misses_something_has_it_asked_for_once_a_minute(time):
    published, vendor = Published(time.clock), Vendor()
    published.read(vendor, URL)
    assert published.read_anew(vendor, URL) == {"n": 1}
    time.now += BRAKE
    assert [published.read_anew(vendor, URL)["n"] for _ in range(3)] == [2, 2, 2]


def test_a_copy_that_is_over_is_not_used_while_the_vendor_is_down(time):
    published, vendor = Published(time.clock), Vendor()
    published.read(vendor, URL)
    vendor.down = True
    time.now += USUAL
    for _ in range(3):
        with pytest.raises(Unavailable):
            published.read(vendor, URL)
    assert vendor.calls == 2  # it was left alone after the first failure
    vendor.down = False
    time.now += BRAKE
    assert published.read(vendor, URL) == {"n": 3}


def test_many_at_once_ask_once(time, in_parallel):
    published, vendor = Published(time.clock), Vendor()
    assert in_parallel(6, lambda _: published.read(vendor, URL)) == [{"n": 1}] * 6
    assert vendor.calls == 1
