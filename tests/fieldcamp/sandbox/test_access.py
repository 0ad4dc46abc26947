"""Who may do what, and how often."""

import pytest

from .conftest import reason, timed
from .test_batch import EVENTS, answers, part, post


def test_without_a_token_and_with_a_wrong_one(anonymous):
    none = anonymous.call("GET", "calendars/primary/events")
    assert reason(none) == (401, "required") and none.json()["error"]["status"] == "UNAUTHENTICATED"
    anonymous.token = {"access_token": "nothing"}
    assert reason(anonymous.call("GET", "calendars/primary/events")) == (401, "authError")


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("calendar.events", "GET", "calendars/primary/events", True),
        ("calendar.events", "POST", "calendars/primary/events", True),
        ("calendar.events", "GET", "users/me/calendarList", False),
        ("calendar.events", "GET", "calendars/primary", False),
        ("calendar.events", "POST", "freeBusy", False),
        ("calendar.events", "GET", "colors", False),
        ("calendar.events.readonly", "GET", "calendars/primary/events", True),
        ("calendar.events.readonly", "POST", "calendars/primary/events", False),
        ("calendar.calendarlist.readonly", "GET", "users/me/calendarList", True),
        ("calendar.calendarlist.readonly", "GET", "calendars/primary/events", False),
        ("calendar.readonly", "POST", "freeBusy", True),
        ("calendar.readonly", "DELETE", "calendars/primary/events/abcde", False),
        ("calendar.app.created", "GET", "users/me/calendarList", False),
        ("calendar.settings.readonly", "GET", "users/me/settings", True),
    ],
)
def test_scopes(anonymous, scope, method, path, allowed):
    anonymous.sign_in(scopes=f"https://www.googleapis.com/auth/{scope}")
    response = anonymous.call(method, path, {} if method == "POST" else None)
    if allowed:
        assert response.status_code in (200, 400)
    else:
        assert reason(response) == (403, "insufficientPermissions")
        assert response.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_an_app_s_own_calendar(anonymous):
    anonymous.sign_in(scopes="https://www.googleapis.com/auth/calendar.app.created")
    own = anonymous.call("POST", "calendars", {"summary": "Visits"}).json()
    assert anonymous.call("POST", f"calendars/{own['id']}/events", timed()).status_code == 200
    assert reason(anonymous.call("GET", "calendars/primary/events")) == (403, "forbidden")


def test_nobody_sees_the_calendars_of_others(google):
    assert reason(google.call("GET", "calendars/lee@google.test/events")) == (404, "notFound")
    assert reason(google.call("GET", "calendars/lee%40google.test")) == (404, "notFound")


@pytest.mark.slow
def test_six_hundred_calls_a_minute_for_each_user(google, clock):
    statuses = [google.event("GET", "abcde").status_code for _ in range(600)]
    assert set(statuses) == {404}
    assert reason(google.event("GET", "abcde")) == (403, "userRateLimitExceeded")
    own = google.token
    google.sign_in("lee@google.test")
    assert google.event("GET", "abcde").status_code == 404  # the other user has a quota of their own
    google.token = own
    clock.now += 59
    assert reason(google.event("GET", "abcde")) == (403, "userRateLimitExceeded")
    clock.now += 2
    assert google.event("GET", "abcde").status_code == 404


def test_parts_of_a_batch_count_one_by_one(google):
    parts = [part(f"GET {EVENTS}/abcde")] * 50
    for _ in range(11):
        post(google, parts)
    for _ in range(20):
        google.event("GET", "abcde")
    statuses = [status for _, status, _ in answers(post(google, parts))]
    assert statuses == [404] * 30 + [403] * 20


def test_a_project_has_a_quota_over_all_its_users(google, app):
    app.vendors["google"].calendar_v3.per_project.limit = 5
    assert [google.event("GET", "abcde").status_code for _ in range(5)] == [404] * 5
    assert reason(google.event("GET", "abcde")) == (403, "rateLimitExceeded")


@pytest.mark.slow
def test_quotas_can_be_switched_off(google):
    google.control("throttle", {"vendor": "google", "enabled": False})
    assert {google.event("GET", "abcde").status_code for _ in range(700)} == {404}
