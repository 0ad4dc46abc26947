"""Guessing is slowed down before anything is hashed, and tells nobody who exists."""

import re
from contextlib import contextmanager

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client as Browser
from structlog.testing import capture_logs

from fieldcamp.signin import throttle
from fieldcamp.workspace.models import AuditEntry
from tests.fieldcamp.signin.conftest import LOGIN, PASSWORD, sign_in

pytestmark = pytest.mark.django_db


@contextmanager
def hashing():
    """Counts what is hashed."""
    calls, encode = [], MD5PasswordHasher.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MD5PasswordHasher, "encode", lambda *args: calls.append(1) or encode(*args))
        yield calls


def page_of(response) -> str:
    return re.sub(
        r'name="csrfmiddlewaretoken" value="\w+"|value="(olivia|nobody)"|req_\w+', "", response.content.decode()
    )


def headers_of(response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in ("X-Request-Id", "Content-Length")}


@pytest.mark.slow
def test_the_eleventh_try_is_refused_unhashed_and_the_right_password_with_it(olivia, make_person, clock):
    make_person("victor")
    with hashing() as calls:
        assert [sign_in("olivia", "wrong").status_code for _ in range(10)] == [200] * 10
        tried = len(calls)
        for password in ("wrong", PASSWORD):
            refused = sign_in("olivia", password, HTTP_X_FORWARDED_FOR="198.51.100.7")
            assert (refused.status_code, refused["Retry-After"]) == (429, "60")
        assert len(calls) == tried == 10
    assert sign_in("victor").status_code == 302
    clock.shift(60)
    assert sign_in("olivia").status_code == 302
    assert sign_in("olivia", "wrong").status_code == 200


@pytest.mark.slow
def test_known_and_unknown_names_are_answered_alike(olivia, clock):
    olivia.user.set_unusable_password()  # as after an invitation
    olivia.user.save()
    for tried_before in (0, 10):
        for name in ("olivia", "nobody"):
            [wait_for(name, "203.0.113.9") for _ in range(tried_before - 1)]
        known, unknown = (sign_in(name, "wrong", "203.0.113.9") for name in ("olivia", "nobody"))
        assert known.status_code == unknown.status_code == (429 if tried_before else 200)
        assert page_of(known) == page_of(unknown)
        assert headers_of(known) == headers_of(unknown)


def wait_for(name: str, address: str, device: str = "") -> int:
    """Fails once to sign in; how long it has to wait, 0 if it was let try."""
    try:
        throttle.attempt("login", name, address, device)
    except throttle.Throttled as refused:
        return refused.wait
    return 0


def test_many_names_from_one_address_are_cut_off_and_others_are_not(olivia, clock):
    waits = [wait_for(f"name{number}", "203.0.113.9") for number in range(40)]
    assert [wait > 0 for wait in waits] == [False] * 30 + [True] * 10
    assert sign_in("olivia", address="203.0.113.9").status_code == 429
    assert sign_in("olivia", address="203.0.113.10").status_code == 302
    # A customer's whole IPv6 network is one caller.
    assert any(wait_for(f"other{number}", f"2001:db8::{number}") for number in range(31))
    assert wait_for("olivia", "2001:db8:0:1::1") == 0


@pytest.mark.slow
def test_who_signs_in_all_the_time_is_cut_off_at_twice_as_many(clock):
    for number in range(60):
        throttle.attempt("login", f"name{number}", "203.0.113.9").succeeded()
    assert wait_for("name", "203.0.113.9") == 60


def test_a_name_tried_from_everywhere_waits_longer_each_time_and_never_for_good(olivia, clock):
    own = Browser()
    assert sign_in("olivia", browser=own).status_code == 302
    waits = []
    for number in range(41):
        if wait := wait_for("Olivia ", f"198.51.100.{number}"):
            waits.append(wait)
            clock.shift(wait)
    assert waits == sorted(waits) and waits[0] == 1 and max(waits) == throttle.LONGEST
    assert wait_for("olivia", "192.0.2.1") == 0
    assert sign_in("olivia", address="192.0.2.2").status_code == 429
    # In her own browser she does not wait for what strangers do; nobody is kept out for good anywhere.
    assert sign_in("olivia", browser=own).status_code == 302
    clock.shift(throttle.LONGEST)
    assert sign_in("olivia", address="192.0.2.2").status_code == 302


@pytest.mark.slow
def test_what_is_written_down(olivia, clock):
    with capture_logs() as logs:
        for _ in range(12):
            sign_in("olivia", "wrong")
        sign_in("nobody", "wrong")
        clock.shift(60)
        sign_in("olivia")
    events = [line["event"] for line in logs if line["event"].startswith("login_")]
    assert events == ["login_failed"] * 10 + ["login_throttled"] * 2 + ["login_failed", "login_succeeded"]
    assert not any("wrong" in str(line) or "nobody" in str(line) for line in logs)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "object_id", "actor"))
    assert entries == [
        *[("login.failed", olivia.pk, "")] * 10,
        ("login.throttled", olivia.pk, ""),
        ("login.failed", "", ""),
        ("login.succeeded", olivia.pk, "Olivia"),
    ]
    assert AuditEntry.objects.get(action="login.throttled").after == {"address": "127.0.0.1", "step": "password"}


def test_a_try_is_counted_from_its_start(clock):
    """Those that are still being hashed count, too."""
    started = [throttle.attempt("login", "olivia", "127.0.0.1") for _ in range(10)]
    assert wait_for("olivia", "127.0.0.1") == 60
    started[0].succeeded()
    assert wait_for("olivia", "127.0.0.1") == 0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_at_once_is_no_way_around(in_parallel):
    waits = in_parallel(12, lambda number: [wait_for("olivia", "127.0.0.1") for _ in range(3)])
    assert sum(wait == 0 for waited in waits for wait in waited) == 10


@pytest.mark.slow
def test_forgotten_passwords_are_mailed_after_the_answer_and_rarely(olivia, mailoutbox, clock, settings):
    settings.TRUSTED_PROXIES = []
    answers = [
        Browser().post("/admin/password/", {"email": name}) for name in ("olivia@example.test", "x@example.test")
    ]
    assert [answer["Location"] for answer in answers] == ["/admin/password/sent/"] * 2
    assert [mail.to for mail in mailoutbox] == [["olivia@example.test"]]
    for _ in range(8):
        assert Browser().post("/admin/password/", {"email": "olivia@example.test"}).status_code == 302
    assert len(mailoutbox) == 1
    assert Browser().post("/admin/password/", {"email": "olivia@example.test"}).status_code == 429
    clock.shift(60)
    Browser().post("/admin/password/", {"email": "olivia@example.test"})
    assert len(mailoutbox) == 2


def test_the_answer_does_not_wait_for_the_mail(olivia, rf, mailoutbox):
    """Neither the search for the login nor the mail server stands between question and answer."""
    from fieldcamp.signin.passwords import ForgottenView

    request = rf.post("/admin/password/", {"email": "olivia@example.test"})
    request._dont_enforce_csrf_checks = True
    response = ForgottenView.as_view()(request)
    assert (response.status_code, mailoutbox) == (302, [])
    response.close()
    assert len(mailoutbox) == 1


@pytest.mark.slow
def test_what_else_takes_a_password_is_throttled(olivia, clock):
    link = [Browser().post("/admin/password/MQ/set-password/", {}).status_code for _ in range(11)]
    assert link == [200] * 10 + [429]
    browser = Browser()
    sign_in("olivia", browser=browser)
    form = {"old_password": "wrong", "new_password1": "fjord under 9 lamps", "new_password2": "fjord under 9 lamps"}
    assert browser.post("/admin/password_change/", form).status_code == 200
    for _ in range(9):
        throttle.attempt("confirm", str(olivia.user.pk), "127.0.0.1")
    assert browser.post("/admin/password_change/", form | {"old_password": PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    "form", [{}, {"username": ""}, {"username": "a\x00b", "password": "x"}, {"username": "x" * 9000}]
)
@pytest.mark.slow
def test_odd_forms_are_only_wrong(form, clock):
    assert Browser().post(LOGIN, form).status_code == 200
