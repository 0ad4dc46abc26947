"""The pages for everybody: they say what reviewers and people look for, and know neither session nor company."""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from fieldcamp.links import support_url
from integrations.checks import check_operator
from integrations.providers import PROVIDERS

PAGES = ("/", "/privacy", "/terms", "/support")


@pytest.fixture
def operator(settings):
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS = "Sync & Sons Ltd", "1 Main Street | Springfield"
    settings.OPERATOR_EMAIL, settings.OPERATOR_PROCESSORS = "privacy@sync.example", "Hosts, Inc.|Mailers"
    return settings


def text_of(path: str) -> str:
    return Browser().get(path).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_it_is_the_same_for_everybody_and_asks_the_database_nothing(path, operator):
    """Without the mark that lets a test reach the database, a query fails it."""
    answer = Browser().get(path)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, max-age=300")
    assert answer["Vary"] == "Accept-Encoding" and not answer.cookies
    page = answer.content.decode()
    assert "Sync &amp; Sons Ltd" in page
    for name in ("privacy", "terms", "support", "admin:index"):
        assert f'href="{reverse(name)}"' in page
    assert Browser().post(path).status_code == 405


def test_each_page_is_the_same_with_a_session(operator, desk, django_assert_num_queries):
    with django_assert_num_queries(0):
        for path in PAGES:
            mine, others = desk.get(path), Browser().get(path)
            assert mine.content == others.content
            assert mine["Content-Security-Policy"] == others["Content-Security-Policy"]
            assert mine["Vary"] == "Accept-Encoding" and not mine.cookies


def test_home_and_privacy_say_what_is_done_with_which_data(operator):
    for path in ("/", "/privacy"):
        page = text_of(path)
        for provider in PROVIDERS.values():
            assert provider.label in page
            for use in provider.disclosure.uses:
                assert f"{use.what}</th>".replace("'", "&#x27;") in page
        assert "Limited Use requirements" in page
        assert "https://developers.google.com/terms/api-services-user-data-policy" in page
        assert "read and written" in page and "read only" in page
    assert text_of("/privacy").count("may tell FieldCamp that an account was taken over") == 1


def test_every_scope_that_is_asked_for_is_accounted_for():
    """An account's name, its calendars, what is written: a provider that may write says what it writes."""
    for provider in PROVIDERS.values():
        uses = provider.disclosure.uses
        assert any(use.writes for use in uses) and all(use.reads or use.writes for use in uses)
        assert all(use.what and use.why for use in uses)
        assert any("e-mail address" in use.what for use in uses)
        assert ("calendars" in "".join(use.what for use in uses)) == ("visit" in provider.kinds)


def test_privacy_has_the_operator_and_what_is_kept(operator):
    operator.JOB_RETENTION_DAYS = 77
    page = text_of("/privacy")
    for words in ("1 Main Street<br>Springfield", "mailto:privacy@sync.example", "Hosts, Inc.</li>", "for 77 days"):
        assert words in page
    assert 'href="https://myaccount.google.com/connections"' in page


def test_what_nobody_has_said_is_named_as_missing(operator):
    operator.OPERATOR_NAME = operator.OPERATOR_EMAIL = operator.OPERATOR_PROCESSORS = ""
    assert "not given a name and an address yet" in text_of("/privacy")
    assert "has not said yet where to ask for help" in text_of("/support")
    assert "None" not in text_of("/privacy")
    assert check_operator() == []  # on this machine nobody else reads them
    operator.PUBLIC_URL = "https://sync.example.com"
    [warning] = check_operator()
    assert warning.id == "integrations.W003" and "OPERATOR_NAME, OPERATOR_EMAIL not set" in warning.msg
    operator.OPERATOR_NAME, operator.OPERATOR_EMAIL = "Sync", "x@sync.example"
    assert check_operator() == []
    operator.SUPPORT_URL = "javascript:alert(1)"
    assert [each.id for each in check_operator()] == ["integrations.W004"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", "http://127.0.0.1:8000/support"),
        ("help@sync.example", "mailto:help@sync.example?subject=FieldCamp%20syn_1"),
        ("mailto:help+x@sync.example", "mailto:help+x@sync.example?subject=FieldCamp%20syn_1"),
        ("https://sync.example/help?id={reference}", "https://sync.example/help?id=syn_1"),
        ("https://sync.example/help", "https://sync.example/help"),
    ],
)
def test_where_help_is_asked_for(settings, target, expected):
    settings.PUBLIC_URL, settings.OPERATOR_EMAIL, settings.SUPPORT_URL = "http://127.0.0.1:8000", "", target
    assert support_url("syn_1") == expected


def test_the_operators_own_words_stand_before_ours(operator, tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "public/terms.html").write_text("{{ operator.name }} has terms of its own.")
    [engine] = operator.TEMPLATES
    operator.TEMPLATES = [{**engine, "DIRS": [str(tmp_path), *engine["DIRS"]]}]
    assert text_of("/terms") == "Sync &amp; Sons Ltd has terms of its own."


def test_who_connects_is_led_to_them(desk):
    page = desk.get("/admin/integrations/connect/google-calendar/").content.decode()
    assert page.count('href="/privacy"') == 2 and 'href="/terms"' in page
    assert 'href="/privacy"' in text_of("/admin/login/")
