"""The quick look for secrets lets nothing pass that the close one would have hidden."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcamp import redaction
from fieldcamp.redaction import REDACTED, may_hold_secret, redact


def alternatives(pattern: str) -> Iterator[str]:
    """The parts of a regular expression between the `|` that stand in no group."""
    depth, part = 0, ""
    for token in re.findall(r"\\.|\[(?:\\.|[^\]])*\]|.", pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            yield part
            part = ""
        else:
            part += token
    yield part


ASCII = st.characters(max_codepoint=126)
SHAPES = list(alternatives(redaction._SHAPES.pattern))
NAMES = [
    re.sub(r"(\[[^]]*\]|\w)\?", "", name)
    for name in re.findall(r"[a-z](?:\[_-\]\?|_\?|\w|s\?)+", redaction._NAME.replace("(?<![a-z])", ""))
]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_recognised(shape):
    # What shows whether a word begins there is not made up at random.
    pattern = re.sub(r"\\b|\(\?<!\[A-Za-z\]\)", "", shape)

    @settings(max_examples=5, deadline=None, derandomize=True)
    @given(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True, alphabet=ASCII))
    def recognised(secret):
        assert may_hold_secret(f"refused {secret} there")

    recognised()


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_recognised(name):
    text = f"{name}: hunter2secret"
    for plain, other in (("", ""), ("s", "\N{LATIN SMALL LETTER LONG S}"), ("k", "\N{KELVIN SIGN}"),
                         ("i", "\N{LATIN SMALL LETTER DOTLESS I}"),
                         ("i", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")):  # fmt: skip
        spelled = text.replace(plain, other) if plain else text.upper()
        assert REDACTED in redact(spelled) and may_hold_secret(spelled), spelled


def test_what_is_plain_is_not_looked_at_closely():
    assert len(SHAPES) > 12 and len(NAMES) > 18
    assert not may_hold_secret("Kim Reed: Leak in the kitchen, 12 Main Street")
    assert may_hold_secret("postgres://fieldcamp:hunter2@db.internal") and may_hold_secret("/accounts/refused/")
    assert may_hold_secret("Proxy-Authorization: x") and may_hold_secret("Set-Cookie: x")
