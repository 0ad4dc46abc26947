"""In a language that is not English, no English is left on the desk: pages are rendered in a made-up one."""

import re
from gettext import NullTranslations

import pytest
from django.utils import timezone
from django.utils.translation import trans_real

from fieldcamp.workspace.models import Member
from integrations.models import Connection, Heartbeat, Problem, SyncJob
from integrations.providers import PROVIDERS
from tests.house.test_translatable import Texts
from tests.integrations.admin.conftest import LISTS, pages_of
from tests.integrations.admin.test_pages import running

# What is never translated: placeholders, tags, entities.
KEPT = re.compile(r"%%|%\([^)]*\)[a-z]|%[a-z]|\{[^}]*\}|<[^>]+>|&[a-z]+;")
# Icons are letters that a font turns into pictures.
ICON = re.compile(r"<span[^>]*material-symbols[^>]*>[^<]*</span>")
# As the providers' own consent pages say them.
PERMISSIONS = [words for provider in PROVIDERS.values() for words in provider.permissions.values()]
WORD = re.compile(r"[A-Za-z]{3,}")
# Names of things and units; and what people, providers and the engine have written, which is data.
NAMES = {
    "FieldCamp", "Ours", "UTC", "America", "New", "York", "EST", "EDT", "CSV", "API", "Integrations", "esc",
    *(word for provider in PROVIDERS.values() for word in provider.label.split()),
    *(getattr(provider.authentication, "vendor", "") for provider in PROVIDERS.values()),
}  # fmt: skip


def pseudo(text: str) -> str:
    """The text with every letter of its words turned into another alphabet's."""
    kept = KEPT.findall(text)
    parts = KEPT.split(text)
    turned = [re.sub("[A-Za-z]", "ж", part) for part in parts]
    return "".join(a + b for a, b in zip(turned, [*kept, ""], strict=True))


class Pseudo(NullTranslations):
    def gettext(self, message):
        return pseudo(message)

    def ngettext(self, one, many, number):
        return pseudo(one if number == 1 else many)

    def pgettext(self, context, message):
        return pseudo(message)

    def npgettext(self, context, one, many, number):
        return pseudo(one if number == 1 else many)

    def to_language(self):
        return "en"

    plural = staticmethod(lambda number: number != 1)
    domain = "django"


@pytest.fixture
def another_language(monkeypatch):
    for language in ("en", "en-us"):
        monkeypatch.setitem(trans_real._translations, language, Pseudo())
    monkeypatch.setattr(trans_real, "_default", None)
    trans_real.activate("en")
    yield
    trans_real.deactivate()


@pytest.fixture
def pages(ours) -> dict[str, str]:
    """The pages of the product, with names of people and accounts in no Latin letter."""
    Heartbeat.objects.create(name="worker", at=timezone.now())
    ours.workspace.name = ours.client.company_name = ours.visit.title = "Ωμέγα"
    ours.workspace.save()
    ours.client.save()
    ours.visit.save()
    Member.objects.update(first_name="Ωμέγα", email="")
    Connection.objects.update(account_name="ω@ω")
    Problem.objects.all().delete()
    running(ours)
    SyncJob.objects.update(actor="Ωμέγα")
    found = {name: LISTS[name] for name in ("dashboard", "card", "needs")}
    for name in ("job", "connection", "disconnect"):
        found[name] = pages_of(ours)[name]
    return found


def english_in(page: str) -> set[str]:
    text = " ".join(Texts(ICON.sub(" ", page)).found)
    for words in PERMISSIONS:
        text = text.replace(words, " ")
    text = re.sub(r"\S*(?:[/@_]|\.html|\.py)\S*", " ", text)  # addresses, ids, commands
    return set(WORD.findall(text)) - NAMES


def test_no_english_is_left(desk, pages, another_language):
    browser = desk()
    left = {
        f"{name}: {word}"
        for name, address in pages.items()
        for word in english_in(browser.get(address).content.decode())
    }
    assert sorted(left) == []


def test_the_made_up_language_keeps_what_must_stay():
    assert pseudo("%(number)s events of {name}, <b>now</b>") == "%(number)s жжжжжж жж {name}, <b>жжж</b>"


def test_the_check_finds_english():
    assert english_in("<p title='Hello'>жжж</p> <b>World</b> syn_0123") == {"Hello", "World"}
