"""What one line of text may hold, and how a name is said in a mail."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcamp.texts import CONTROL, INVISIBLE, TURNING, flaw_of, in_one_line, said

WILD = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\t\x00\x85\u2028\u202e\u2066 .@:/w\u3002\uff0ea")), max_size=30
)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("\x01\x1b", CONTROL),
        ("a\nb", CONTROL),
        ("a\tb", CONTROL),
        ("a\x85b", CONTROL),
        ("a\x7fb", CONTROL),
        ("a\u2028b", CONTROL),
        ("a\ud800b", CONTROL),
        ("a\u202eb", TURNING),
        ("a\u2066b\u2069", TURNING),
        ("\u200b", INVISIBLE),
        ("\u3164", INVISIBLE),
        ("\u2800\ufeff", INVISIBLE),
        ("  ", INVISIBLE),
        ("", ""),
        ("Dana's Plumbing", ""),
        ("שרה\u200f", ""),
        ("می\u200cخواهم", ""),
        ("👩\u200d🔧", ""),
        ("नि\u200dष", ""),
    ],
)
def test_what_one_line_may_hold(text, flaw):
    assert flaw_of(text) == flaw


def test_several_lines_may_hold_line_breaks_and_tabs():
    assert flaw_of("a\r\n\tb", lines=True) == "" == flaw_of("a\u2028b", lines=True)
    assert flaw_of("a\x0bb", lines=True) == CONTROL
    assert flaw_of("a\u202eb", lines=True) == TURNING


@given(WILD)
def test_no_header_is_split(text):
    line = in_one_line(text)
    assert not {unicodedata.category(each) for each in line} & {"Cc", "Zl", "Zp"}
    assert line == in_one_line(line) and "\u202e" not in line


@given(WILD)
def test_no_name_reads_as_an_address(text):
    name = said(text)
    assert "://" not in name and "@" not in name
    assert not re.search(r"\w[.\u3002\uff0e\uff61]\w", name)


def test_names_stay_names():
    assert said("Win at http://evil.test/x now") == "Win at now"
    assert said("see www.evil.test") == "see"
    assert said("evil.test") == "evil. test"
    assert said("Dana's Plumbing, Inc.") == "Dana's Plumbing, Inc."
    assert said("J. R. O'Neil") == "J. R. O'Neil"
