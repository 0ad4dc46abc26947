"""Text that people type: what may stand in one line of it, and how a name is said in a mail. Pure.

Classes of characters are those of Unicode, https://www.unicode.org/reports/tr44/#General_Category_Values
"""

import re
import unicodedata

# What turns the reading direction of everything behind it: https://www.unicode.org/reports/tr9/#Directional_Formatting_Codes
# The marks U+200E, U+200F and U+061C act on their own place alone, and names in Hebrew and Arabic have them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols that draw nothing: Hangul fillers, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DRAWS_NOTHING = ("Cf", "Co", "Mn", "Me", "Zs", "Zl", "Zp")
_LINE_ENDS = frozenset("\t\n\r")

CONTROL = "control"
TURNING = "turning"
INVISIBLE = "invisible"

_WITH_SCHEME = re.compile(r"\S*(?:://|\bwww\.)\S*", re.IGNORECASE)
_DOT = re.compile(r"[.\u3002\uff0e\uff61](?=\w)")  # each of them separates the labels of a host name


def flaw_of(text: str, *, lines: bool = False) -> str:
    """Returns what is wrong with the text, one of CONTROL, TURNING and INVISIBLE; "" for nothing.

    `lines`: it may have several lines, and tabs.
    """
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs") and not (lines and character in _LINE_ENDS):
            return CONTROL
        if category in ("Zl", "Zp") and not lines:
            return CONTROL
        if character in _TURNING:
            return TURNING
    return INVISIBLE if text and not shows(text) else ""


def shows(text: str) -> bool:
    """Returns whether anything of the text can be seen."""
    return any(
        character not in _BLANK
        and character not in _LINE_ENDS
        and unicodedata.category(character) not in _DRAWS_NOTHING
        for character in text
    )


def in_one_line(text: str) -> str:
    """Returns the text as a header takes it: on one line, each blank one blank, without characters that control."""
    spaced = (" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    return " ".join("".join(each for each in spaced if each not in _TURNING).split())


def masked(identifier: str) -> str:
    """Returns an identifier as it may be shown: its last characters, four at most and no more than a third of it, by
    which somebody who knows it finds it again."""
    shown = min(4, len(identifier) // 3)
    return "…" + identifier[len(identifier) - shown :]


def said(name: str) -> str:
    """Returns a name as a mail may say it: nothing in it reads as an address, which mail programs make a link of."""
    plain = _WITH_SCHEME.sub(" ", in_one_line(name)).replace("@", " ")
    return " ".join(_DOT.sub(". ", plain).split())
