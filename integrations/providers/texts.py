"""What calendars do to a text, undone: HTML that an editor made of it, and the line with which we lead back."""

import html
import re

from integrations.records import tidy

LINK_TEXT = "Open in FieldCamp:"
_LINK_LINE = re.compile(rf"\s*{LINK_TEXT} \S+\s*$")
_HEAD = re.compile(r"(?is)<!--.*?-->|<(head|style|script)\b.*?</\1\s*>")
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|h[1-6])\s*>")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]*>")


def without_html(text: str) -> str:
    """Returns the plain text of a snippet of HTML; what is no tag stays."""
    return tidy(html.unescape(_TAGS.sub("", _BREAKS.sub("\n", tidy(text)))))


def without_page(text: str) -> str:
    """Returns the plain text of a whole HTML page."""
    return without_html(_HEAD.sub("", text))


def with_link(text: str, link: str) -> str:
    line = f"{LINK_TEXT} {link}" if link else ""
    return "\n\n".join(part for part in (text, line) if part)


def without_link(text: str) -> str:
    return _LINK_LINE.sub("", text)
