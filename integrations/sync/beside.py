"""Texts at the other side: what people have put beside ours there, and ours as a vendor spells it. Pure."""

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from integrations.kinds import Kind
from integrations.records import Fields, digest
from integrations.sync.state import Pair

_TAGS = re.compile(r"</?[a-zA-Z][^<>]*>")
_A_LINE = 20  # characters; shorter ones stand in many texts by chance


def written_beside(pair: Pair, push: Fields) -> dict[str, Any]:
    """Returns what is written together with these fields because people have put it beside them there: also what they
    have typed into the middle of ours, which is about to be put right."""
    seen, found = pair.seen or {}, {}
    for name, of in pair.kind.beside.items():
        if of in push and (kept := _joined(str(seen.get(name) or ""), _typed_into(pair, of))):
            found[name] = kept
    return found


def _typed_into(pair: Pair, name: str) -> list[str]:
    """Returns the lines that somebody has typed into a text of ours."""
    seen, base = (pair.seen or {}).get(name), (pair.base or {}).get(name)
    if not isinstance(seen, str) or not isinstance(base, str) or pair.gone:
        return []
    texts = [base, str((pair.local.fields or {}).get(name) or "")]
    lines, whole = {folded(line) for text in texts for line in text.split("\n")}, folded("\n".join(texts))
    typed = []
    for line in seen.split("\n"):
        said = folded(line)
        if said and said not in lines and not (len(said) >= _A_LINE and said in whole):  # (a line that was wrapped)
            typed.append(line)
    return typed


def _joined(notes: str, lines: list[str]) -> str:
    known = {folded(line) for line in notes.split("\n")}
    return "\n".join([*([notes] if notes else ()), *(line for line in lines if folded(line) not in known)])


def folded(text: str) -> str:
    """Returns what a text says, however a vendor has spelled it: without markup, in one form of Unicode, each white
    space one blank."""
    return " ".join(unicodedata.normalize("NFC", html.unescape(_TAGS.sub(" ", text))).split())


def spellings(kind: Kind, sent: Fields, answer: Fields) -> dict[str, str]:
    """Returns a digest of each text that the other side's answer spells otherwise than it was sent."""
    return {
        name: digest({name: answer[name]})
        for name in kind.respelled
        if name in sent and name in answer and sent[name] != answer[name]
    }


def as_sent(kind: Kind, base: Fields | None, seen: Fields | None, spelled: Mapping[str, str] | None) -> Fields | None:
    """Returns what was seen there, a text of ours as we have sent it where what stands there is what the other side
    has made of that."""
    if not (base and seen and kind.respelled):
        return seen
    ours = {
        name: base[name]
        for name in kind.respelled
        if isinstance(base.get(name), str)
        and isinstance(seen.get(name), str)
        and seen[name] != base[name]
        and ((spelled or {}).get(name) == digest({name: seen[name]}) or folded(seen[name]) == folded(base[name]))
    }
    return {**seen, **ours} if ours else seen
