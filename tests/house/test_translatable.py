"""Every word that a person reads in a template can be translated."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVERY = sorted((ROOT / "templates").rglob("*.*"))
TEMPLATES = [path for path in EVERY if path.relative_to(ROOT / "templates").parts[0] != "api"]  # that is in English
# Names, code, and the page that must come up when nothing else works.
NAMES = ("FieldCamp Integrations", "FieldCamp", "Authorization: Bearer")
UNTRANSLATED = ("500.html",)
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "label")
QUIET = ("script", "style", "code", "pre", "kbd")  # kbd: what stands on a key
# The theme's font draws the word as an icon.
ICON = re.compile(r'(<span class="[^"]*material-symbols-outlined[^>]*>)[a-z_]+(?=</span>)')
# Tags whose quoted arguments are read by people.
SPEAKING = re.compile(r"^(?:when|at|with|cycle|firstof)\b|^include\b.*?\swith\s")
WORDS = re.compile(r"[A-Za-z]{2,}")
LITERAL = re.compile(r"""(\w+=)?(["'])(.*?)\2""")
TONES = ("success", "danger", "warning", "info", "muted")
# Arguments of includes that are not read.
SILENT = ("tone=", "key=", "next=", "only=", "id=", "name=")


class Texts(HTMLParser):
    """The texts and read attributes of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[str] = []
        self.quiet: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in QUIET:
            self.quiet.append(tag)
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag):
        if self.quiet and self.quiet[-1] == tag:
            self.quiet.pop()

    def handle_data(self, data):
        if not self.quiet:
            self.found.append(data)


def untranslated(source: str) -> Iterator[str]:
    """What of a template's words would stay English whatever the language."""
    source = re.sub(r"""_\((["']).*?\1\)""", "", source)
    source = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{% (blocktrans(?:late)?)\b.*?\{% end\1 %\}", "", source, flags=re.DOTALL)
    for tag in re.findall(r"\{%\s*(.*?)\s*%\}", source, flags=re.DOTALL):
        if SPEAKING.search(tag):
            words = tag.partition(" with ")[2] if tag.startswith("include") else tag
            for name, _, value in LITERAL.findall(words):
                if name not in SILENT and value not in TONES and WORDS.search(value):
                    yield value
    for value in re.findall(r"\{\{(.*?)\}\}", source):
        if "pluralize" in value:
            yield value.strip()
        for literal in re.findall(r"""default(?:_if_none)?:["'](.*?)["']|add:["'](.*?)["']""", value):
            yield from (text for text in literal if WORDS.search(text))
    bare = ICON.sub(r"\1", source)
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", bare, flags=re.DOTALL)
    for text in Texts(bare).found:
        for name in NAMES:
            text = text.replace(name, "")
        if WORDS.search(text.replace("&nbsp;", " ")):
            yield " ".join(text.split())


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if path.name not in UNTRANSLATED],
    ids=lambda path: str(path.relative_to(ROOT / "templates")),
)
def test_every_word_can_be_translated(path):
    assert list(untranslated(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<p aria-label="Hello">{{ name }}</p>',
        '{% include "badge.html" with tone="danger" text="Hello" only %}',
        '{% when moment "not yet" %}',
        '{{ name|default:"nobody" }}',
        "event{{ number|pluralize }}",
        "<b>{% translate 'Hello' %}</b> there",
    ],
)
def test_the_walker_finds_what_is_not(source):
    assert list(untranslated(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        "{% load i18n %}<p>{% translate 'Hello' %}, {{ name }} · 12</p>",
        "{% blocktranslate trimmed with name=name %}Hello <b>{{ name }}</b>{% endblocktranslate %}",
        '<code>manage.py worker</code>{# a note #}<a href="{% url "admin:index" %}" class="fc-button">FieldCamp</a>',
        '{% include "badge.html" with tone="danger" text=words only %}',
    ],
)
def test_the_walker_leaves_the_rest(source):
    assert list(untranslated(source)) == []
