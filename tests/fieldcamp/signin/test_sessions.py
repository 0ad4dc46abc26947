"""Sessions end by themselves and on demand, and their person hears of new ones."""

import datetime as dt
import re

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone
from structlog.testing import capture_logs

from fieldcamp.signin import sessions
from fieldcamp.workspace.models import AuditEntry, Role
from tests.fieldcamp.signin.conftest import PASSWORD, SECURITY, sign_in, signed_in

pytestmark = pytest.mark.django_db
NEW = "fjord under 9 lamps"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(("role", "stays"), [("owner", False), ("admin", False), ("staff", True), ("viewer", True)])
@pytest.mark.slow
def test_who_manages_is_signed_out_when_idle(role, stays, make_person, clock):
    browser = signed_in(make_person("olivia", role=Role(role)))
    for _ in range(3):
        clock.shift(11 * 3600)
        assert browser.get(SECURITY).status_code == 200
    clock.shift(6 * 3600)
    # What an open page fetches by itself is no use of it.
    assert browser.get("/admin/integrations/needs/", headers={"HX-Request": "true"}).status_code == 200
    clock.shift(6 * 3600)
    answer = browser.get(SECURITY)
    assert (answer.status_code == 200) is stays
    if not stays:
        assert answer["Location"] == f"/admin/login/?next={SECURITY}"
        assert "You were signed out" in browser.get(answer["Location"]).content.decode()
    assert UserSession.objects.exists() is stays


@pytest.mark.slow
def test_a_session_in_use_ends_after_two_weeks(make_person, clock):
    browser = signed_in(make_person("victor", role=Role.STAFF))
    for _ in range(13):
        clock.shift(86_400)
        assert browser.get(SECURITY).status_code == 200
    clock.shift(86_400)
    assert browser.get(SECURITY).status_code == 302


@pytest.mark.slow
def test_ended_sessions_are_forgotten(olivia, clock):
    signed_in(olivia)
    sessions.prune(timezone.now() + dt.timedelta(days=13))
    assert UserSession.objects.count() == Session.objects.count() == 1
    assert sessions.prune(timezone.now() + dt.timedelta(days=15)) == 1
    assert not Session.objects.exists()


@pytest.mark.slow
def test_the_list_of_sessions_and_ending_them(olivia, make_person, clock):
    here, there, third = Browser(), Browser(), Browser()
    sign_in("olivia", browser=here, HTTP_USER_AGENT=FIREFOX)
    sign_in("olivia", browser=there, address="198.51.100.7", HTTP_USER_AGENT="<script>curl")
    sign_in("olivia", browser=third)
    foreign = signed_in(make_person("victor"))
    page = here.get(SECURITY).content.decode()
    assert "Firefox, Linux" in page and "198.51.100.7" in page and "&lt;script&gt;curl" in page
    assert page.count("this session") == 1
    row = UserSession.objects.get(ip="198.51.100.7")
    assert foreign.post(f"{SECURITY}sessions/{row.pk}/end/").status_code == 404
    assert there.get(SECURITY).status_code == 200
    assert here.post(f"{SECURITY}sessions/{row.pk}/end/").status_code == 302
    assert there.get(SECURITY).status_code == 302
    here.post(f"{SECURITY}sessions/end/")
    assert third.get(SECURITY).status_code == 302 and here.get(SECURITY).status_code == 200
    fourth = signed_in(olivia)
    assert here.post(f"{SECURITY}sessions/end/", {"everywhere": "1"})["Location"] == "/admin/login/"
    assert fourth.get(SECURITY).status_code == here.get(SECURITY).status_code == 302
    assert foreign.get(SECURITY).status_code == 200


@pytest.mark.slow
def test_a_session_from_before_is_in_the_list(olivia):
    """One that began when sessions were not listed yet."""
    browser = signed_in(olivia)
    UserSession.objects.all().delete()
    session = browser.session
    for name in ("signin_since", "signin_seen", "signin_confirmed"):
        del session[name]
    session.save()
    assert browser.get(SECURITY).content.decode().count("this session") == 1


def test_a_new_password_ends_the_others_and_is_mailed(olivia, mails):
    here, there = signed_in(olivia), signed_in(olivia)
    mails.clear()
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/admin/password_change/", form).status_code == 302
    assert here.get(SECURITY).status_code == 200
    assert there.get(SECURITY).status_code == 302
    assert [(mail.subject, mail.to) for mail in mails] == [("Your password was changed", ["olivia@example.test"])]
    assert AuditEntry.objects.get(action="login.password_set").actor == "Olivia"


@pytest.mark.slow
def test_a_password_that_an_operator_sets_is_mailed_too(olivia, mails, django_user_model):
    operator = Browser()
    operator.force_login(django_user_model.objects.create_superuser("root"))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert operator.post(f"/admin/auth/user/{olivia.user_id}/password/", form).status_code == 302
    assert [mail.subject for mail in mails] == ["Your password was changed"]
    assert AuditEntry.objects.get(action="login.password_set").actor == "root"


@pytest.mark.slow
def test_digits_alone_are_no_password(olivia):
    form = {"old_password": PASSWORD, "new_password1": "73915824", "new_password2": "73915824"}
    assert "entirely numeric" in signed_in(olivia).post("/admin/password_change/", form).content.decode()


def test_a_browser_that_was_not_used_before_is_mailed(olivia, mails):
    browser = Browser()
    sign_in("olivia", browser=browser, address="198.51.100.7")
    assert [mail.subject for mail in mails] == ["A new sign-in"]
    assert "198.51.100.7" in mails[0].body and re.search(r"When: \w{3} \d+ \w+, \d\d:\d\d \(\w+\)", mails[0].body)
    browser.post("/admin/logout/")
    assert sign_in("olivia", browser=browser).status_code == 302
    assert len(mails) == 1
    browser.cookies["fieldcamp_device"] = "made:up"
    browser.post("/admin/logout/")
    sign_in("olivia", browser=browser)
    assert len(mails) == 2


@pytest.mark.slow
def test_a_broken_mail_server_breaks_nothing(olivia, mails, settings):
    settings.EMAIL_BACKEND = "tests.fieldcamp.signin.nowhere.EmailBackend"
    with capture_logs() as logs:
        assert signed_in(olivia).get(SECURITY).status_code == 200
    assert [line["error"] for line in logs if line["event"] == "mail_not_sent"] == ["RuntimeError"]
