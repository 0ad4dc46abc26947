"""What is sent again, after which pause, and what is not."""

import datetime as dt

import pytest
import responses

from integrations.errors import (
    NeedsPermission,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.transport.answers import retry_after
from integrations.transport.client import HttpClient, OneToken
from tests.integrations.transport.conftest import EVENT, EVENTS, GOOGLE, LIST, statuses


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
        HttpClient(GOOGLE, OneToken("t"), **time.kwargs()).request("GET", "https://api.test/x")
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
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
        ("Sun, 22 Nov 2026 08:00:99999999999 GMT", None),
        ("Sun, 22 Nov 2026 08:00:30 +99999999999", None),
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
