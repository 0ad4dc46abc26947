"""Times as people read them: relative or in the company's zone, the exact time (and UTC) on hover."""

import datetime as dt
from typing import Literal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_WEEK = 7 * 86_400


def ago(seconds: float) -> str:
    """`2 min ago`, `in 28 min`, `just now`."""
    distance = abs(seconds)
    for size, unit in _UNITS:
        if distance >= size:
            text = f"{int(distance // size)} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now" if seconds >= 0 else "in less than a minute"


def exact(moment: dt.datetime) -> str:
    """In the company's zone, which the desk has activated."""
    return timezone.localtime(moment).strftime("%a %-d %b %Y, %H:%M:%S %Z")


def utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _time(moment: dt.datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{} · {}">{}</time>', moment.isoformat(), exact(moment), utc(moment), text
    )


@register.simple_tag
def when(moment: dt.datetime | Literal[""] | None, missing: str = "never") -> str:
    """How long ago, or how far ahead; the date itself from a week on. Templates give "" for what does not exist."""
    if not moment:
        return missing
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) >= _WEEK:
        return at(moment)
    return _time(moment, ago(seconds))


@register.simple_tag
def at(moment: dt.datetime | Literal[""] | None, missing: str = "–") -> str:
    """The time in the company's zone."""
    if not moment:
        return missing
    return _time(moment, timezone.localtime(moment).strftime("%-d %b %Y, %H:%M"))


@register.filter
def span(length: dt.timedelta | None) -> str:
    """`40 s`, `3 min`, `2 h`."""
    if length is None:
        return "–"
    seconds = max(length.total_seconds(), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
