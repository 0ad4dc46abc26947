"""The one exit: tokens, time-outs, hosts, logs."""

from dataclasses import replace

import pytest
import requests
import responses
from requests.auth import HTTPBasicAuth

from integrations.errors import (
    AccessRefused,
    Misconfigured,
    NeedsReconnect,
    Rejected,
    TimedOut,
    Unavailable,
)
from integrations.transport import client as client_module
from integrations.transport.client import HttpClient, OneToken
from integrations.transport.hosts import is_below
from tests.integrations.transport.conftest import EVENT, EVENTS, GOOGLE, LIST, statuses


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


def test_a_token_that_was_renewed_just_now_is_refused_by_mistake_at_first(http, tokens, vendors):
    vendors.fault("expire_token", path="calendarList", times=9)
    with pytest.raises(AccessRefused) as refused:
        http.request("GET", LIST)
    assert isinstance(refused.value.verdict, NeedsReconnect) and not refused.value.verdict.proven
    assert tokens.renewals == 1
    assert statuses(vendors, "calendarList") == [401] * 4
    vendors.heal()
    vendors.fault("status", status=401, times=3)
    assert http.request("POST", EVENTS, json=EVENT).status_code == 200  # three in a row were not carried out


def test_a_token_that_cannot_be_renewed_needs_a_person(vendors, time):
    vendors.fault("expire_token")
    with pytest.raises(NeedsReconnect):
        HttpClient(GOOGLE, OneToken(vendors.token()["access_token"]), **time.kwargs()).request("GET", LIST)


@pytest.mark.slow
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


@responses.activate
def test_each_account_has_addresses_of_its_own(time):
    provider = replace(GOOGLE, hosts=lambda account_id: (f"https://{account_id}.test/api",))
    http = HttpClient(provider, OneToken("t"), account_id="eu-7", **time.kwargs())
    responses.get("https://eu-7.test/api/x", json={})
    assert http.request("GET", "https://eu-7.test/api/x").json() == {}
    with pytest.raises(Misconfigured):
        http.request("GET", "https://us-7.test/api/x")
    assert len(responses.calls) == 1


@responses.activate
def test_a_provider_says_how_a_token_is_sent(time):
    authentication = replace(GOOGLE.authentication, authorize=lambda token: HTTPBasicAuth("fieldcamp", token))
    provider = replace(GOOGLE, authentication=authentication, hosts=lambda account_id: ("https://api.test",))
    responses.get("https://api.test/x", json={})
    HttpClient(provider, OneToken("t"), **time.kwargs()).request("GET", "https://api.test/x")
    assert responses.calls[0].request.headers["Authorization"] == "Basic ZmllbGRjYW1wOnQ="


def test_the_providers_own_addresses_are_below_their_base():
    assert is_below("http://sandbox.test/google/api/calendar/v3/x?y=z", "http://sandbox.test/google/api")
    assert is_below("https://www.googleapis.com:443/calendar", "https://www.googleapis.com")
    assert is_below("https://WWW.googleapis.com/calendar", "https://www.googleapis.com/")


@responses.activate
def test_redirects_are_not_followed(settings, time):
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", status=302, headers={"Location": "https://evil.test/"})
    with pytest.raises(Unavailable):
        HttpClient(GOOGLE, OneToken("t"), attempts=1, **time.kwargs()).request("GET", "https://api.test/x")
    assert [call.request.url for call in responses.calls] == ["https://api.test/x"]


@responses.activate
def test_a_netrc_file_does_not_replace_the_token(settings, tmp_path, monkeypatch, time):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.test login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", json={})
    HttpClient(GOOGLE, OneToken("mine"), **time.kwargs()).request("GET", "https://api.test/x")
    assert responses.calls[0].request.headers["Authorization"] == "Bearer mine"


def test_every_send_has_both_time_outs(vendors, time, monkeypatch):
    seen = []
    real = vendors.adapter.send

    def send(request, **kwargs):
        seen.append(kwargs["timeout"])
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)
    HttpClient(GOOGLE, OneToken(vendors.token()["access_token"]), **time.kwargs()).request("GET", LIST)
    assert (client_module.CONNECT_TIMEOUT, client_module.READ_TIMEOUT) in seen
    assert client_module.CONNECT_TIMEOUT + client_module.SEND_LIMIT < 30  # a job's lease


@responses.activate
def test_a_body_that_drips_ends_in_time(settings, time):
    settings.GOOGLE_API_URL = "https://api.test"
    responses.get("https://api.test/x", body=b"x" * 300_000)

    class Dripping(requests.Session):
        def request(self, *args, **kwargs):
            response = super().request(*args, **kwargs)
            read1 = response.raw.read1

            def slowly(_size, **given):
                time.sleep(8)
                return read1(10, **given)

            response.raw.read1 = slowly
            return response

    http = HttpClient(GOOGLE, OneToken("t"), session=Dripping(), attempts=1, **time.kwargs())
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
        HttpClient(GOOGLE, tokens, before_call=before_call, **time.kwargs()).request("GET", LIST)
    assert len(vendors.requests()) == 1


@pytest.mark.slow
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
    assert [(line["method"], line["status"], line["attempt"], line["connection_id"]) for line in lines] == [
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


@pytest.mark.parametrize("seconds", [60, 200])
def test_what_may_take_long_is_waited_for_and_sent_once(tokens, vendors, time, caplog, seconds):
    http = HttpClient(GOOGLE, tokens, **time.kwargs())
    vendors.fault("delay", seconds=seconds, times=9)
    with caplog.at_level("INFO"):
        if seconds < 125:
            assert http.request("GET", LIST, patience=125).status_code == 200
        else:
            with pytest.raises(TimedOut):
                http.request("GET", LIST, patience=125)
    assert len(vendors.requests()) == 1 and time.slept == []
    vendors.heal()
    vendors.fault("drop", times=1)  # a line that breaks is no time-out
    assert http.request("GET", LIST, patience=125).status_code == 200
