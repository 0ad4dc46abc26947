"""The text of a visit's event, to and fro: what a vendor has room for, the line with which we lead back, and what
people have typed beside ours; and what calendars do to a text, undone."""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from integrations.records import Fields, tidy

LINK_TEXT = "Open in FieldCamp:"
NOTES_LINE = "- - Your own notes go below this line - -"
FRAME = 600  # units that the line with the link, the one above the notes and what is between them may take
_LINK, _NOTES = rf"^[ \t]*{LINK_TEXT}[^\n]*$", r"^[^\w\n]*Your own notes go below this line[^\w\n]*$"
_LINK_LINE, _NOTES_LINE = re.compile(_LINK, re.MULTILINE), re.compile(_NOTES, re.MULTILINE)
_FRAME_LINES = re.compile(rf"(?:{_LINK}|{_NOTES})\n?", re.MULTILINE)
_HEAD = re.compile(r"(?is)<!--.*?-->|<(head|style|script)\b.*?</\1\s*>")
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|h[1-6])\s*>")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]*>")
# What XML 1.0 cannot carry, and what no text needs: https://www.w3.org/TR/xml/#charsets
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile(r"\s*[\n\u2028\u2029]+\s*")
_LETTERS_OF_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")
_JOINER = "\u200d"


def without_html(text: str) -> str:
    """Returns the plain text of a snippet of HTML; what is no tag stays."""
    return tidy(html.unescape(_TAGS.sub("", _BREAKS.sub("\n", tidy(text)))))


def without_page(text: str) -> str:
    """Returns the plain text of a whole HTML page."""
    return without_html(_HEAD.sub("", text))


# --- ours and theirs ----------------------------------------------------------------------------------------------


def composed(text: str, link: str, notes: str, limit: int, size: Callable[[str], int] | None = None) -> str:
    """Returns an event's whole text: the link first, so that nothing cuts it off, then ours, then what a person has
    typed. Where there is no room for all of it ours is cut."""
    measure = size or units
    room = limit
    while True:
        line = f"{LINK_TEXT} {link}" if link else ""
        parts = (line, cut(text, room, measure), "\n".join(part for part in (NOTES_LINE, notes) if part))
        whole = "\n\n".join(part for part in parts if part)
        over = measure(whole) - limit
        if over <= 0:
            return whole
        if room <= 0:  # (notes alone that are longer than an event: some were typed elsewhere)
            return cut(whole, limit, measure)
        room = max(0, min(room, measure(text)) - over)


def taken_apart(text: str) -> dict[str, str]:
    """Returns what in an event's text is ours (`text`), and what a person has typed above and below it (`notes`)."""
    above, rest = "", _UNSENDABLE.sub("", text)
    text = rest
    if found := _LINK_LINE.search(text):
        above, rest = text[: found.start()], text[found.end() :]
    ours, below = rest, ""
    if found := _NOTES_LINE.search(rest):
        ours, below = rest[: found.start()], rest[found.end() :]
    elif not tidy(rest):  # somebody has put the link last
        above, ours = "", above
    notes = "\n".join(part for part in (tidy(above), tidy(below)) if part)
    return {"text": tidy(ours), "notes": notes}


# --- what there is room for ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """What a vendor has room for in one field: `units` of UTF-16 (what Windows, Java and browsers count as
    characters), in one line whose parts are then joined by `joined`, or in several (None)."""

    units: int
    joined: str | None = None


def fitted(fields: Fields, rooms: Mapping[str, Room], size: Callable[[str], int] | None = None) -> Fields:
    """Returns the fields as there is room for them: what cannot be sent is left out, and what is too long ends with
    "…". The same again for what has been brought to that form already. `size` measures what is sent of a text."""
    return {name: _fitted(value, rooms[name], size) if name in rooms else value for name, value in fields.items()}


def _fitted(value: object, room: Room, size: Callable[[str], int] | None) -> object:
    if not isinstance(value, str):
        return value
    if room.joined is not None and value.isprintable():  # one line that has nothing to be taken out of it
        return cut(value.strip(), room.units)
    text = tidy(_UNSENDABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n")))
    if room.joined is not None:
        return cut(_LINE_ENDS.sub(room.joined, text).replace("\t", " "), room.units)
    text = tidy(_FRAME_LINES.sub("", text))  # an event's text that somebody has copied into the visit
    return cut(text, room.units - FRAME, size or units)


def units(text: str) -> int:
    """Returns how long a text is in units of UTF-16."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, limit: int, size: Callable[[str], int] = units) -> str:
    """Returns the text if it is so long at most, else as much of it as fits in front of a "…", whole characters."""
    if size(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(f"{text[:middle]}…") <= limit else (low, middle - 1)
    while low and _goes_on(text, low):
        low -= 1
    return f"{text[:low].rstrip()}…" if low else ""


def _goes_on(text: str, at: int) -> bool:
    """Returns whether a cut here would be inside of what people see as one character."""
    after = text[at]
    return (
        unicodedata.category(after).startswith("M")
        or after == _JOINER
        or text[at - 1] == _JOINER
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= after <= "\U0001f1ff" and len(_LETTERS_OF_FLAGS.findall(text[:at])) % 2 == 1)
    )
