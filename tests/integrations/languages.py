"""A made-up language: every text that can be translated is, into letters that no English word has."""

import re
from gettext import NullTranslations

import pytest
from django.utils.translation import trans_real

from fieldcamp.webhooks.event_types import EVENT_TYPES
from integrations.providers import PROVIDERS
from tests.house.test_translatable import Texts

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
    text = text.rpartition("\4")[2]  # after the context, which Django puts before a text
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


def english_in(page: str) -> set[str]:
    page = re.sub(r'<p lang="en".*?</p>', " ", page, flags=re.DOTALL)  # what the API says as well, in its language
    page = re.sub(r'<span lang="en" title="[^"]*">', " ", page)
    text = " ".join(Texts(ICON.sub(" ", page)).found)
    for words in PERMISSIONS:
        text = text.replace(words, " ")
    text = re.sub(r"\b\w+\.\*", " ", text)  # all events of a resource
    for name in sorted(EVENT_TYPES, key=len, reverse=True):
        text = text.replace(name, " ")
    text = re.sub(r"\S*(?:[/@_:]|\.html|\.py)\S*", " ", text)  # addresses, ids, scopes, commands
    return set(WORD.findall(text)) - NAMES
