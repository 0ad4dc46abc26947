"""The way to help: on each kind of page, on each page of an error, with the id of what it is about and nothing else."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest
from django.test import Client as Browser
from django.urls import include, path

from tests.integrations.admin.conftest import LISTS, pages_of

BOX = "help@sync.example"
LINK = re.compile(rf'href="mailto:{BOX}\?subject=FieldCamp%20(\w+)"')


def fails(request: HttpRequest, how: str):
    raise {"500": RuntimeError("Dana's secret"), "400": SuspiciousOperation("x"), "403": PermissionDenied()}[how]


urlpatterns = [path("fails/<how>", fails), path("", include("fieldcamp.urls"))]
handler400, handler500 = "fieldcamp.error_pages.bad_request", "fieldcamp.error_pages.server_error"


@pytest.fixture(autouse=True)
def named(settings):
    settings.SUPPORT_URL = BOX


@pytest.mark.slow
def test_every_page_of_the_desk_leads_to_help_about_this_request(desk, ours):
    browser, wrong = desk(), []
    known = pages_of(ours) | LISTS
    kinds = ("job", "connection", "visit", "visit history", "revoke", "disconnect", "dashboard", "visits")
    pages = {name: known[name] for name in kinds}
    pages |= {"login": "/admin/login/", "connect": "/admin/integrations/connect/google-calendar/"}
    for name, address in pages.items():
        answer = (Browser() if name == "login" else browser).get(address)
        about = ours.job.pk if name == "job" else answer["X-Request-Id"]
        if {*LINK.findall(answer.content.decode())} != {about}:  # the first page's sentence may lead there as well
            wrong.append((name, address, LINK.findall(answer.content.decode())))
    assert wrong == []


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("how", ["400", "403", "500", "404"])
def test_every_page_of_an_error_does(how):
    browser = Browser(raise_request_exception=False)
    answer = browser.get(f"/fails/{how}" if how != "404" else "/nowhere")
    page = answer.content.decode()
    assert answer.status_code == int(how) and "<h1>" in page and "secret" not in page
    assert LINK.findall(page) == [answer["X-Request-Id"]]


def test_a_host_that_is_not_ours_and_a_form_without_its_token():
    answers = (
        Browser(headers={"host": "evil.example"}).get("/privacy"),
        Browser(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"}),
    )
    assert [answer.status_code for answer in answers] == [400, 403]
    for answer in answers:
        assert LINK.findall(answer.content.decode()) == [answer["X-Request-Id"]]


def test_where_nobody_is_named_our_own_page_says_so(settings):
    settings.SUPPORT_URL = ""
    assert f'href="{settings.PUBLIC_URL}/support"' in Browser().get("/nowhere").content.decode()


def test_every_mail_does():
    """By the templates, so that the next mail is not forgotten; those in `mail/` stand on one base."""
    mails = [path for path in (settings.BASE_DIR / "templates/desk").glob("*.txt") if path.stem != "help"]
    wanted = [path for path in mails if not path.stem.endswith("_subject")]
    wanted += [settings.BASE_DIR / "templates/mail/base.txt"]
    assert len(wanted) > 4
    assert [path.name for path in wanted if '{% include "desk/help.txt" %}' not in path.read_text()] == []
