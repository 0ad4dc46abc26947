"""`manage.py doctor --vendors`: what vendors have announced, what of it concerns this installation, and what ends."""

import datetime as dt
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone

from fieldcamp.env import env_day
from integrations.models import OAuthGrant
from integrations.providers import PROVIDERS
from integrations.providers.changes import Concerns, VendorChange
from integrations.services.doctor import Weight, announced
from integrations.services.doctor.announced import apps_that_end
from tests.integrations import build

pytestmark = pytest.mark.django_db
TODAY = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
ROWS = [(provider, change) for provider in PROVIDERS.values() for change in provider.changes]
GOOGLE = PROVIDERS[build.GOOGLE]


@pytest.fixture(autouse=True)
def today(time_machine, settings):
    time_machine.move_to(TODAY, tick=False)
    for app in ("GOOGLE", "MICROSOFT", "INTUIT"):
        setattr(settings, f"{app}_CLIENT", {"client_id": "", "secret": ""})


def change(days: int, **fields) -> VendorChange:
    """A change so many days from today on."""
    return VendorChange(
        **{
            "on": TODAY.date() + dt.timedelta(days=days), "what": "Something changes.", "here": "It goes along.",
            "page": "https://vendor.test/news", "read": TODAY.date(), "todo": "Do this.", **fields,
        }
    )  # fmt: skip


@pytest.fixture
def announce(monkeypatch):
    """One vendor has announced this, and no other anything."""

    def declare(*changes: VendorChange) -> None:
        for name, provider in PROVIDERS.items():
            monkeypatch.setitem(PROVIDERS, name, replace(provider, changes=changes if provider is GOOGLE else ()))

    return declare


def test_every_row_is_shown_with_its_day_and_what_it_means(settings):
    settings.GOOGLE_CLIENT = {"client_id": "id", "secret": "s"}
    out = StringIO()
    call_command("doctor", "--vendors", stdout=out)
    said = out.getvalue()
    for _, row in ROWS:
        assert f"{row.on:%-d %B %Y}: {row.what} {row.here}" in said and row.page in said
    assert "1 April 2027" in said and "This concerns you: an app is set." in said and "Enrol the project" in said
    assert "Reconnect URL" in said and "Enter PUBLIC_URL" not in said  # there is no app at Intuit


@pytest.mark.parametrize(
    ("days", "concerns", "told"),
    [
        (90, Concerns.APP, True), (91, Concerns.APP, False), (0, Concerns.APP, True), (-1, Concerns.APP, False),
        (30, Concerns.ACCOUNTS, False), (30, Concerns.NOBODY, False),
    ],
)  # fmt: skip
def test_ninety_days_before_what_concerns_this_installation(announce, settings, days, concerns, told):
    settings.GOOGLE_CLIENT = {"client_id": "id", "secret": "s"}
    announce(change(days, concerns=concerns))
    assert [(each.weight, "Do this." in each.mend) for each in announced()] == [(Weight.NOTE, True)] * told


def test_accounts_are_asked_of_the_database(announce, workspace):
    announce(change(30, concerns=Concerns.ACCOUNTS))
    account = build.connection(workspace)
    [found] = announced()
    assert "connected accounts: 1" in found.sentence
    type(account).objects.update(state="disconnected")
    assert list(announced()) == []


def test_pages_that_nobody_has_read_for_long(announce):
    announce(*(change(-300, read=TODAY.date() - dt.timedelta(days=days)) for days in (89, 90, 91, 200)))
    [found] = announced()
    assert found.weight is Weight.NOTE and found.mend.count("https://vendor.test/news") == 1


def test_a_secret_that_ends(settings):
    def said(ends: str) -> list[tuple[Weight, str]]:
        settings.MICROSOFT_CLIENT = {"client_id": "id", "secret": "s", "secret_ends": ends}
        return [(each.weight, f"{each.sentence} {each.mend}") for each in apps_that_end()]

    assert said("2027-03-02")[0][0] is Weight.FINE
    [(weight, text)] = said("2027-03-01")
    assert weight is Weight.NOTE and "1 March 2027" in text and "MICROSOFT_CLIENT_SECRET_ENDS" in text
    assert said("2026-12-01")[0][0] is Weight.NOTE and said("2026-11-30")[0][0] is Weight.WRONG
    [(weight, text)] = said("")
    assert weight is Weight.NOTE and "24 months" in text
    settings.INTUIT_CLIENT = {"client_id": "id", "secret": "s"}  # whose secrets do not end
    assert len(said("2027-03-02")) == 1


def test_an_app_that_nobody_has_used_for_months(settings, workspace):
    settings.GOOGLE_CLIENT = {"client_id": "id", "secret": "s"}
    assert list(apps_that_end()) == []
    ago = timezone.now() - dt.timedelta(days=160)
    account = build.connection(workspace, connected_at=ago)
    OAuthGrant.objects.create(connection=account, granted_at=ago, refreshed_at=ago)
    [found] = apps_that_end()
    assert found.weight is Weight.NOTE and "6 months" in found.sentence
    OAuthGrant.objects.update(refreshed_at=timezone.now() - dt.timedelta(days=140))
    assert list(apps_that_end()) == []


@pytest.mark.parametrize(("text", "ok"), [("2027-05-31", True), ("", True), ("31.5.2027", False), ("soon", False)])
def test_the_day_in_the_environment(monkeypatch, text, ok):
    monkeypatch.setenv("A_DAY", text)
    if ok:
        assert env_day("A_DAY") == text
    else:
        with pytest.raises(ImproperlyConfigured, match="A_DAY"):
            env_day("A_DAY")


def test_the_page_has_the_same_table():
    page = (Path(__file__).parents[3] / "docs/vendors.md").read_text()
    rows = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert sorted(rows) == sorted(
        (row.on.isoformat(), provider.label, row.what, f"{row.here} {row.todo}".strip(), f"[{row.read}]({row.page})")
        for provider, row in ROWS
    )


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=lambda row: f"{row.on}")
def test_a_row_is_whole(row):
    assert row.what and row.here and row.page.startswith("https://") and bool(row.todo) == (row.concerns != "nobody")
