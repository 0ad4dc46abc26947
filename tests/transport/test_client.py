"""The one exit: tokens, time-outs, retries, hosts, logs."""

import datetime as dt

import pytest
import requests
import responses

from fieldcamp.sandbox.mount import URL
from integrations.errors import (
    Misconfigured,
    NeedsPermission,
    NeedsReconnect,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.providers import PROVIDERS
from integrations.transport import client as client_module
from integrations.transport.answers import retry_after
from integrations.transport.client import Client, OneToken, is_below
from tests.faketime import FakeTime

GOOGLE = PROVIDERS["google_calendar"]
LIST = f"{URL}/google/api/calendar/v3/users/me/calendarList"
EVENTS = f"{URL}/google/api/calendar/v3/calendars/primary/events"
EVENT = {"start": {"dateTime": "2026-11-25T10:00:00Z"}, "end": {"dateTime": "2026-11-25T11:00:00Z"}}


class Renewing:
    """A token source that gets a new token from the sandbox each time it is asked to."""

    def __init__(self, vendors):
        self.vendors, self.token, self.renewals = vendors, vendors.token()["access_token"], 0

    def access_token(self) -> str:
        return self.token

    def renewed(self, rejected: str) -> str:
        assert rejected == self.token
        self.renewals += 1
        self.token = self.vendors.token()["access_token"]
        return self.token


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def tokens(vendors) -> Renewing:
    return Renewing(vendors)


@pytest.fixture
def http(tokens, time) -> Client:
    return Client(GOOGLE, tokens, connection_id="con_1", **time.kwargs())


def statuses(vendors, path: str = "") -> list[int]:
    return [row["status"] for row in vendors.requests(path)]


def test_sends_the_token_and_returns_the_answer(http):
    assert http.request("GET", LIST).json()["kind"] == "calendar#calendarList"


def test_refreshes_once_and_replays_once_after_401(http, tokens, vendors):
    vendors.fault("expire_token", path="calendarList")
    assert http.request("GET", LIST).status_code == 200
    assert tokens.renewals == 1
    assert statuses(vendors, "calendarList") == [401, 200]


def test_replays_a_write_after_401_because_it_was_not_carried_out(http, vendors):
    vendors.fault("expire_token", path="events")
    http.request("POST", EVENTS, json=EVENT)
    assert statuses(vendors, "/events") == [401, 200]


def test_a_second_401_needs_a_person(http, tokens, vendors):
    vendors.fault("expire_token", path="calendarList", times=5)
    with pytest.raises(NeedsReconnect):
        http.request("GET", LIST)
    assert tokens.renewals == 1
    assert statuses(vendors, "calendarList") == [401, 401]


def test_a_token_that_cannot_be_renewed_needs_a_person(vendors, time):
    vendors.fault("expire_token")
    with pytest.raises(NeedsReconnect):
        Client(GOOGLE, OneToken(vendors.token()["access_token"]), **time.kwargs()).request("GET", LIST)


@pytest.mark.parametrize(("kind", "spec"), [("status", {"status": 500}), ("status", {"status": 503}), ("drop", {})])
def test_repeats_a_read_with_growing_pauses(http, vendors, time, kind, spec):
    vendors.fault(kind, times=2, **spec)
    assert http.request("GET", LIST).status_code == 200
    assert time.slept == [0.5, 1.0]


def test_gives_up_a_read_after_three_attempts(http, vendors):
    vendors.fault("status", status=503, times=9)
    with pytest.raises(Unavailable):
        http.request("GET", LIST)
    assert statuses(vendors) == [503] * 3


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("status", {"status": 500}),
        ("drop", {}),
        ("drop_after_commit", {}),
        ("truncate", {}),
        ("delay", {"seconds": 60}),
    ],
)
def test_a_write_whose_answer_is_lost_is_not_sent_again(http, vendors, kind, spec):
    vendors.fault(kind, method="POST", **spec)
    with pytest.raises(Unavailable):
        http.request("POST", EVENTS, json=EVENT)
    assert len(vendors.requests("/events")) == 1


def test_a_write_called_safe_is_sent_again(http, vendors):
    vendors.fault("status", status=500, method="POST")
    assert http.request("POST", EVENTS, json=EVENT, retry_safe=True).status_code == 200


@pytest.mark.parametrize("kind", ["truncate", "delay"])
def test_a_read_that_breaks_off_is_repeated(http, vendors, kind):
    vendors.fault(kind, **({"seconds": 60} if kind == "delay" else {}))
    assert http.request("GET", LIST).json()["items"]
    assert len(vendors.requests("calendarList")) == 2


@responses.activate
def test_broken_json_is_a_lost_answer(settings, time):
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", body='{"items": [', content_type="application/json")
    with pytest.raises(Unavailable):
        Client(GOOGLE, OneToken("t"), **time.kwargs()).request("GET", "https://api.test/x")
    assert len(responses.calls) == 3


RATE_403 = {"error": {"errors": [{"domain": "usageLimits", "reason": "userRateLimitExceeded"}], "code": 403}}
QUOTA_403 = {"error": {"errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}], "code": 403}}
SCOPE_403 = {"error": {"errors": [{"domain": "global", "reason": "insufficientPermissions"}], "code": 403}}


@pytest.mark.parametrize("spec", [{"status": 429}, {"status": 403, "body": RATE_403}])
def test_waits_out_a_short_rate_limit_also_for_writes(http, vendors, time, spec):
    vendors.fault("status", **spec)
    assert http.request("POST", EVENTS, json=EVENT).status_code == 200
    assert time.slept == [0.5]


def test_a_lasting_rate_limit_becomes_a_row_and_no_sleeping_worker(http, vendors, time):
    vendors.fault("status", status=429, times=9)
    with pytest.raises(RateLimited) as caught:
        http.request("GET", LIST)
    assert caught.value.retry_at == time.now + dt.timedelta(seconds=60)
    assert sum(time.slept) < 5


@pytest.mark.parametrize(("header", "slept"), [("3", 3.0), ("2.5", 2.5), ("0", 0.5)])
def test_honours_a_short_retry_after(http, vendors, time, header, slept):
    vendors.fault("status", status=429, headers={"Retry-After": header})
    http.request("GET", LIST)
    assert time.slept == [pytest.approx(slept)]


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_retry_after_is_not_waited_for(http, vendors, time, status):
    vendors.fault("status", status=status, headers={"Retry-After": "90"})
    with pytest.raises(RateLimited) as caught:
        http.request("GET", LIST)
    assert caught.value.retry_at == time.now + dt.timedelta(seconds=90)
    assert time.slept == []
    assert len(vendors.requests()) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("nan", None),
        ("inf", 86_400.0),
        ("Sun, 22 Nov 2026 08:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 07:00:00 GMT", 0.0),
    ],
)
def test_reads_every_form_of_retry_after(value, seconds):
    assert retry_after(value, dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)) == seconds


def test_used_up_quota_pauses_for_hours(http, vendors, time):
    vendors.fault("status", status=403, body=QUOTA_403)
    with pytest.raises(RateLimited) as caught:
        http.request("GET", LIST)
    assert caught.value.retry_at - time.now > dt.timedelta(hours=1)
    assert time.slept == []


def test_a_missing_scope_is_no_reason_to_repeat(http, vendors):
    vendors.fault("status", status=403, body=SCOPE_403)
    with pytest.raises(NeedsPermission):
        http.request("GET", LIST)
    assert len(vendors.requests()) == 1


def test_a_refused_record_is_no_reason_to_repeat(http, vendors):
    with pytest.raises(Rejected):
        http.request("POST", EVENTS, json={"summary": "no time"})
    assert len(vendors.requests()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/calendar/v3/users/me/calendarList",
        "http://sandbox.test.evil.test/google/api/x",
        "http://sandbox.test@evil.test/google/api/x",
        "http://evil.test#http://sandbox.test/google/api/",
        "http://sandbox.test:81/google/api/x",
        "https://sandbox.test/google/api/x",
        "http://sandbox.test/google/apis/x",
        "http://sandbox.test/google/api/../../microsoft/x",
        "http://sandbox.test/google/api/%2e%2E/x",
        "http://sandbox.test\\@evil.test/google/api/x",
        "http://sandbox.test/_control/requests",
        "//sandbox.test/google/api/x",
        "http://[broken/google/api/x",
    ],
)
def test_a_token_never_leaves_for_another_address(http, vendors, tokens, url):
    vendors.forget_requests()
    with pytest.raises(Misconfigured):
        http.request("GET", url)
    assert vendors.requests() == []


def test_the_providers_own_addresses_are_below_their_base():
    assert is_below("http://sandbox.test/google/api/calendar/v3/x?y=z", "http://sandbox.test/google/api")
    assert is_below("https://www.googleapis.com:443/calendar", "https://www.googleapis.com")
    assert is_below("https://WWW.googleapis.com/calendar", "https://www.googleapis.com/")


@responses.activate
def test_redirects_are_not_followed(settings, time):
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", status=302, headers={"Location": "https://evil.test/"})
    with pytest.raises(Unavailable):
        Client(GOOGLE, OneToken("t"), attempts=1, **time.kwargs()).request("GET", "https://api.test/x")
    assert [call.request.url for call in responses.calls] == ["https://api.test/x"]


@responses.activate
def test_a_netrc_file_does_not_replace_the_token(settings, tmp_path, monkeypatch, time):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.test login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", json={})
    Client(GOOGLE, OneToken("mine"), **time.kwargs()).request("GET", "https://api.test/x")
    assert responses.calls[0].request.headers["Authorization"] == "Bearer mine"


def test_every_send_has_both_time_outs(vendors, time, monkeypatch):
    seen = []
    real = vendors.adapter.send

    def send(request, **kwargs):
        seen.append(kwargs["timeout"])
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)
    Client(GOOGLE, OneToken(vendors.token()["access_token"]), **time.kwargs()).request("GET", LIST)
    assert (client_module.CONNECT_TIMEOUT, client_module.READ_TIMEOUT) in seen
    assert client_module.CONNECT_TIMEOUT + client_module.SEND_LIMIT < 30  # a job's lease


@responses.activate
def test_a_body_that_drips_ends_in_time(settings, time):
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", body=b"x" * 300_000)

    class Dripping(requests.Session):
        def request(self, *args, **kwargs):
            response = super().request(*args, **kwargs)
            chunks = response.iter_content

            def slowly(size):
                for chunk in chunks(size):
                    time.sleep(8)
                    yield chunk

            response.iter_content = slowly
            return response

    http = Client(GOOGLE, OneToken("t"), session=Dripping(), attempts=1, **time.kwargs())
    with pytest.raises(Unavailable):
        http.request("GET", "https://api.test/x")
    assert sum(time.slept) < 30


def test_before_call_comes_before_every_send_and_may_stop(tokens, vendors, time):
    calls = []

    class Cancelled(Exception):
        pass

    def before_call():
        calls.append(1)
        if len(calls) == 2:
            raise Cancelled

    vendors.fault("status", status=503, times=9)
    with pytest.raises(Cancelled):
        Client(GOOGLE, tokens, before_call=before_call, **time.kwargs()).request("GET", LIST)
    assert len(vendors.requests()) == 1


def test_one_log_line_a_call_and_no_secret_in_it(http, tokens, vendors, caplog):
    vendors.fault("expire_token", path="calendarList")
    first = tokens.token
    with caplog.at_level("DEBUG"):
        http.request("GET", LIST, params={"quotaUser": "canary-query"})
    lines = [
        record.msg
        for record in caplog.records
        if isinstance(record.msg, dict) and record.msg["event"] == "provider_call"
    ]
    assert [(line["method"], line["status"], line["attempt"], line["connection"]) for line in lines] == [
        ("GET", 401, 1, "con_1"),
        ("GET", 200, 1, "con_1"),
    ]
    assert lines[0]["url"] == "sandbox.test/google/api/calendar/v3/users/me/calendarList"
    for secret in (first, tokens.token, "canary-query"):
        assert secret not in caplog.text


def test_an_error_carries_no_token(http, tokens, vendors):
    vendors.fault(
        "status", status=400, body={"error": {"errors": [{"reason": "invalid"}], "message": f"Bearer {tokens.token}"}}
    )
    with pytest.raises(Rejected) as caught:
        http.request("GET", LIST)
    assert tokens.token not in str(caught.value) + caught.value.detail
