"""A gap turns its row red. Each kind of mend is taken back once, and the row that is about it alone is asked."""

import datetime as dt
import logging
from importlib import metadata

import pytest

from integrations.review import checks_of_answers
from integrations.review.running import examine
from integrations.review.table import RowVerdict
from integrations.review.vendors import TABLES
from integrations.transport.client import HttpClient
from tests.integrations.review import planted

TODAY = dt.date(2026, 11, 29)


@pytest.fixture
def verdict(make_probe, behind_tls, monkeypatch):
    """Asks one row of a table, whose answers are spoilt as ordered."""
    monkeypatch.setattr(checks_of_answers, "DESK_PAGES", 3)
    behind_tls.MIDDLEWARE = [planted.NAME, *behind_tls.MIDDLEWARE]

    def ask(vendor: str, row: str, spoiler: planted.Spoiler | None = None) -> tuple[RowVerdict, str]:
        planted.order(spoiler)
        [result] = examine(TABLES[vendor], make_probe(), TODAY, only=[row])
        return result.verdict, result.said

    yield ask
    planted.order(None)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    ("vendor", "row", "spoiler", "words"),
    [
        ("intuit", "S1", planted.without_header("Cache-Control", "/api/v1/visits"), "GET /api/v1/visits"),
        ("intuit", "S3", planted.traced, "TRACE"),
        ("intuit", "S5.redirect", planted.led_anywhere, "leads to another site"),
        ("intuit", "S5.access", planted.open_to_all, "answered 200, not 404"),
        ("intuit", "S5.xss", planted.replaced("&lt;svg", "<svg"), "script"),
        ("intuit", "I5.1", planted.behind_login("/"), "without a login"),
        ("google", "O2.limited-use", planted.replaced("Limited Use", "Some Use"), "Limited Use"),
        ("google", "O3", planted.other_location("openid", "openid+https%3A%2F%2Fall.example"), "all.example"),
        ("microsoft", "M4", planted.other_location("S256", "plain"), "S256"),
        ("intuit", "G6", planted.replaced("mailto:", "nowhere:", "/admin/no/"), "not found (404)"),
        (
            "microsoft",
            "M8",
            planted.other_location("&login_hint=", "&prompt=consent&login_hint="),
            "asked for consent again",
        ),
        ("microsoft", "M6.admin", planted.replaced("/adminconsent", "", "/accounts/"), "gives no link"),
        ("google", "S9", planted.with_page, "with a page"),
        ("intuit", "I5.2", planted.behind_login("/nowhere"), ""),
    ],
)
def test_a_spoilt_answer_is_found(verdict, vendor, row, spoiler, words):
    found, said = verdict(vendor, row, spoiler)
    if not words:
        assert found == RowVerdict.PASS  # what spoils nothing fails nothing
        return
    assert found == RowVerdict.FAIL and words in said


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    ("vendor", "row", "name", "value", "words"),
    [
        ("intuit", "G9", "SECURE_HSTS_SECONDS", 0, "missing"),
        ("intuit", "G9", "SECURE_SSL_REDIRECT", False, "not a redirect"),
        ("intuit", "S6", "SESSION_COOKIE_HTTPONLY", False, "HttpOnly"),
        ("intuit", "S13", "AUTH_PASSWORD_VALIDATORS", [], "seven characters is taken"),
        ("intuit", "S13", "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"], "stored by md5"),
    ],
)
def test_a_setting_that_was_taken_back_is_found(verdict, behind_tls, vendor, row, name, value, words):
    setattr(behind_tls, name, value)
    found, said = verdict(vendor, row)
    assert found == RowVerdict.FAIL and words in said


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    ("vendor", "row", "middleware", "words"),
    [
        ("intuit", "S5.csrf", "django.middleware.csrf.CsrfViewMiddleware", "without its token"),
        ("intuit", "G5", "fieldcamp.signin.middleware.SignInRules", "Without a factor"),
    ],
)
def test_a_middleware_that_was_taken_out_is_found(verdict, behind_tls, vendor, row, middleware, words):
    behind_tls.MIDDLEWARE = [name for name in behind_tls.MIDDLEWARE if name != middleware]
    found, said = verdict(vendor, row)
    assert found == RowVerdict.FAIL and words in said


@pytest.mark.slow
@pytest.mark.once
def test_a_customers_name_in_the_log_is_found(verdict, monkeypatch):
    real = HttpClient.request

    def telling(self, method, url, **kwargs):
        logging.getLogger("leak").warning("sending %s", kwargs)
        return real(self, method, url, **kwargs)

    monkeypatch.setattr(HttpClient, "request", telling)
    found, said = verdict("google", "S4")
    assert found == RowVerdict.FAIL and "in the log" in said


@pytest.mark.slow
@pytest.mark.once
def test_a_token_in_clear_is_found(verdict, monkeypatch):
    monkeypatch.setattr("fieldcamp.encryption.EncryptedField.get_prep_value", lambda _self, value: value)
    monkeypatch.setattr("fieldcamp.encryption.EncryptedField.from_db_value", lambda _self, value, *_: value)
    found, said = verdict("intuit", "S8")
    assert found == RowVerdict.FAIL and "integrations_oauthgrant" in said


@pytest.mark.slow
@pytest.mark.once
def test_a_secret_in_a_page_is_found(verdict):
    found, said = verdict("intuit", "Q12", planted.replaced("</body>", "sandbox-secret</body>", "/admin/"))
    assert found == RowVerdict.FAIL and "shows a token or a secret" in said


@pytest.mark.slow
def test_a_trail_that_anybody_can_change_is_found(verdict, monkeypatch):
    monkeypatch.setattr("integrations.management.commands.audit_check.check_all", list)
    found, said = verdict("xero", "XS.audit")
    assert found == RowVerdict.FAIL and "changed by hand" in said


def test_an_unpinned_package_is_found(verdict, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _name: "0.0")
    found, said = verdict("xero", "XS.patches")
    assert found == RowVerdict.FAIL and "0.0 instead of" in said


@pytest.mark.slow
@pytest.mark.once
def test_an_end_that_nobody_is_told_of_is_found(verdict, monkeypatch):
    monkeypatch.setattr("integrations.mail.endings.warn", lambda _now: None)
    found, said = verdict("google", "G10")
    assert found == RowVerdict.FAIL and "0 mails 59 days ahead" in said
