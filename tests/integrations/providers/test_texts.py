"""What a visit's texts are at a vendor: in the form that there is room for, the link first, and notes kept beside them.

Both mappings, with a vendor that cuts what is too long as it is documented to.
"""

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.kinds import VISIT
from integrations.providers import google_calendar, outlook_calendar, texts
from integrations.providers.google_calendar import mapping as google
from integrations.providers.outlook_calendar import mapping as outlook
from integrations.providers.texts import LINK_TEXT, NOTES_LINE, composed, cut, taken_apart, units
from integrations.records import Marker
from integrations.sync.beside import as_sent, folded, spellings, written_beside
from integrations.sync.state import Local, Pair

LINK = "https://fieldcamp.test/admin/workspace/visit/vis_01HZX2Q8YV3D1G0N3WJ2P7K9MA/change/"
MARKER = Marker("wsp_1", "vis_1", "fieldcamp:1")
TIMES = {"start": "2026-11-25T15:00:00Z", "end": "2026-11-25T16:00:00Z"}


def keeps(text: str, limit: int) -> str:
    """What is left where so many units of UTF-16 are kept."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "replace")


def through_google(fields: dict) -> dict:
    body = google.to_body(fields, marker=MARKER, link=LINK)
    stored = {
        **body,
        "id": MARKER.remote_id,
        "etag": "1",
        "summary": keeps(body["summary"], 1024),
        "description": keeps(body["description"], 8192),
        "location": keeps(body["location"], 1024),
    }
    assert body["description"].startswith(f"{LINK_TEXT} {LINK}")
    return google.to_record(stored).fields


def through_outlook(fields: dict) -> dict:
    body = outlook.to_body(fields, marker=MARKER, link=LINK, create=MARKER.remote_id)
    times = {name: {**body[name], "dateTime": f"{body[name]['dateTime']}.0000000"} for name in ("start", "end")}
    one_line = str.maketrans("", "", "\r\n")  # [MS-OXCICAL] strips line ends, it does not replace them
    stored = {
        **body,
        **times,
        "id": "AAMk=",
        "subject": keeps(body["subject"].translate(one_line), 255),
        "location": {"displayName": keeps(body["location"]["displayName"].translate(one_line), 255)},
    }
    assert body["body"]["content"].startswith(f"{LINK_TEXT} {LINK}")
    return outlook.to_record(stored).fields


VENDORS = [
    pytest.param(google_calendar.GOOGLE_CALENDAR.kept, through_google, google.ROOMS, id="google"),
    pytest.param(outlook_calendar.OUTLOOK_CALENDAR.kept, through_outlook, outlook.ROOMS, id="outlook"),
]
ODD = ["<b>", "</b>", "<br>", "&amp;", "&#x200f;", "&", "<", "\u05d0\u05d1", "\u202e", "\u2028", "\0", "\x1b", "\x85"]
ODD += [
    "\ud800",
    "\ufffe",
    "e\u0301",
    "👩‍👩‍👧",
    "🇩🇪",
    "👍🏽",
    "\r\n",
    "\xa0",
    "\t",
    f"{LINK_TEXT} x\n",
    f"\n{NOTES_LINE}\n",
]
PIECES = st.lists(st.sampled_from(ODD) | st.text(max_size=8), max_size=12).map("".join)
LENGTHS = st.sampled_from([0, 1, 240, 253, 254, 255, 256, 1020, 1024, 7580, 7592, 7600, 8192, 32100, 32767, 33000])
LONG = st.builds(lambda piece, length, end: (piece * (length // (len(piece) or 1) + 1))[:length] + end,
                 PIECES, LENGTHS, PIECES)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("kept", "through", "rooms"), VENDORS)
@hypothesis_settings(max_examples=25, deadline=None)
@given(
    title=PIECES | LONG,
    text=PIECES | LONG,
    place=PIECES | LONG,
    notes=st.sampled_from(["", "gate code 99\n<side door>"]),
)
@example(title="T" * 200 + " · " + "C" * 120, text="<b>notes & more</b>\n" * 400, place="1 Main\nTown", notes="")
@example(title="🇩🇪" * 300, text="&" * 9000, place="a" * 254 + "é", notes="n" * 3000)
def test_what_was_sent_is_what_is_compared(kept, through, rooms, title, text, place, notes):
    wanted = kept("visit", {**TIMES, "title": title, "text": text, "place": place, "repeats": False})
    assert kept("visit", wanted) == wanted
    assert units(wanted["title"]) <= rooms["title"].units and "\n" not in wanted["title"] + wanted["place"]
    seen = VISIT.pick(through({**wanted, "notes": notes}))
    assert seen["notes"] == notes
    base = {**wanted, "notes": notes}
    found = as_sent(VISIT, base, seen, spellings(VISIT, wanted, seen))
    assert {name: found[name] for name in wanted} == wanted
    if len(notes) < 100:
        assert seen == base


def test_a_cut_is_between_characters_and_is_seen():
    assert cut("abcdef", 6) == "abcdef" and cut("abcdefg", 6) == "abcde…"
    assert cut("ab e\u0301xyz", 5) == "ab…" and cut("👩‍👩‍👧 and more", 6) == "" and cut("ab 👍🏽 more", 6) == "ab…"
    assert cut("🇩🇪🇫🇷🇮🇹", 9) == "🇩🇪🇫🇷…" and cut("🇩🇪🇫🇷🇮🇹", 7) == "🇩🇪…"


@pytest.mark.parametrize(
    ("typed", "text", "notes"),
    [
        (f"{LINK_TEXT} {LINK}\n\nours\n\n{NOTES_LINE}\ngate code 99", "ours", "gate code 99"),
        (f"gate code 99\n\n{LINK_TEXT} {LINK}\n\nours\n\n{NOTES_LINE}", "ours", "gate code 99"),
        (f"a\n{LINK_TEXT} {LINK} <{LINK}>\nours\n{NOTES_LINE}\nb\n{NOTES_LINE}", "ours", f"a\nb\n{NOTES_LINE}"),
        (f"{LINK_TEXT} {LINK}\n\nours\ngate code 99", "ours\ngate code 99", ""),
        (f"ours\n\n{LINK_TEXT} {LINK}", "ours", ""),
        ("gate code 99", "gate code 99", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_what_is_typed_around_our_text_is_told_from_it(typed, text, notes):
    assert taken_apart(typed) == {"text": text, "notes": notes}


def pair(seen: dict, base: str = "Client: Kim\nPhone: 555", local: str = "Client: Kim\nPhone: 556") -> Pair:
    fields = {"title": "Leak", "text": local, "place": ""}
    return Pair(VISIT, "vis_1", "event", Local(fields), 1, base={**fields, "text": base}, seen=seen)


@pytest.mark.parametrize(
    ("seen", "written"),
    [
        ({"text": "Client: Kim\nPhone: 555", "notes": "gate code 99"}, {"notes": "gate code 99"}),
        ({"text": "Client: Kim\nring twice\nPhone: 555", "notes": ""}, {"notes": "ring twice"}),
        ({"text": "Client: Kim\nPhone: 777", "notes": "gate\nPhone: 777"}, {"notes": "gate\nPhone: 777"}),
        ({"text": "ring twice", "notes": "gate"}, {"notes": "gate\nring twice"}),
        ({"text": "Client:  Kim\n\nPhone: 556", "notes": ""}, {}),
        ({"text": ""}, {}),
    ],
)
def test_whatever_was_typed_is_written_back_beside_our_text(seen, written):
    assert written_beside(pair(seen), {"text": "new"}) == written
    assert written_beside(pair(seen), {"title": "new"}) == {}


def test_notes_are_never_cut_in_favour_of_our_text():
    whole = composed("o" * 700, LINK, "n" * 500, 1000)
    assert units(whole) <= 1000 and whole.startswith(f"{LINK_TEXT} {LINK}") and whole.endswith("n" * 500)
    assert "ooo…" in whole
    assert units(composed("ours", LINK, "n" * 2000, 1000)) <= 1000


def test_a_spelling_of_the_vendors_own_is_ours_as_long_as_it_stands_there():
    base = {"title": "Leak at  Kim's", "text": "a" * 300, "place": ""}
    answer = {"title": "LEAK AT KIM'S", "text": "a" * 100, "place": ""}
    spelled = spellings(VISIT, base, answer)
    assert as_sent(VISIT, base, answer, spelled) == base
    assert as_sent(VISIT, base, {**answer, "text": "a" * 99}, spelled)["text"] == "a" * 99
    assert as_sent(VISIT, base, answer, None) == answer
    assert as_sent(VISIT, base, {"title": "Leak &#97;t <b>Kim&#39;s</b> "}, None) == {"title": base["title"]}
    assert folded("A<br>b") == "A b" and texts.units("👍") == 2
