"""Times as elements, relative or in the company's zone, with the exact one on hover; what `fieldcamp.formats` has, as
filters; and the way to help."""

import datetime as dt
from typing import Any, Literal, NamedTuple

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldcamp import formats
from fieldcamp.formats import day as day
from fieldcamp.links import support_shown, support_url
from fieldcamp.texts import said

register = template.Library()
register.filter("said", said)
for _format in (
    formats.money, formats.price, formats.quantity, formats.percent, formats.number, formats.day, formats.short_day,
    formats.weekday, formats.moment, formats.zoned, formats.seconds,
):  # fmt: skip
    register.filter(_format.__name__, _format)

_UNITS = (
    (86_400, gettext_lazy("{number} d")),
    (3_600, gettext_lazy("{number} h")),
    (60, gettext_lazy("{number} min")),
)
_RELATIVE = 86_400  # seconds for which a time is told by how long ago it is
_PAST, _FUTURE = gettext_lazy("{length} ago"), gettext_lazy("in {length}")
_NOW, _SOON = gettext_lazy("just now"), gettext_lazy("in less than a minute")


def ago(seconds: float) -> str:
    """Returns `2 min ago`, `in 28 min`, `just now`."""
    distance = abs(seconds)
    for size, unit in _UNITS:
        if distance >= size:
            length = str(unit).format(number=int(distance // size))
            return str(_PAST if seconds > 0 else _FUTURE).format(length=length)
    return str(_NOW if seconds >= 0 else _SOON)


def utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def time_element(moment: dt.datetime, text: str, moves: bool = False) -> SafeString:
    """Writes a moment as `text`, the exact one on hover. `moves`: the page's script keeps the words true
    (static/fieldcamp/clock.js)."""
    return format_html(
        '<time datetime="{}" title="{} · {}"{}>{}</time>',
        moment.isoformat(),
        formats.exact(moment),
        utc(moment),
        SafeString(" data-ago") if moves else "",
        text,
    )


@register.simple_tag
def when(moment: dt.datetime | Literal[""] | None, missing: str | None = None) -> str:
    """Returns how long ago, or how far ahead; the time itself from a day on. Templates give "" for what does not
    exist."""
    if not moment:
        return _("never") if missing is None else missing
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) >= _RELATIVE:
        return at(moment)
    return time_element(moment, ago(seconds), moves=True)


@register.simple_tag
def at(moment: dt.datetime | Literal[""] | None, missing: str = "–") -> str:
    """Returns the time in the company's zone."""
    if not moment:
        return missing
    return time_element(moment, formats.moment(moment))


@register.simple_tag
def precise(moment: dt.datetime | Literal[""] | None, missing: str = "–") -> str:
    """Returns the time to the second, as only the page of a job says it."""
    return time_element(moment, formats.precise(moment)) if moment else missing


@register.simple_tag
def second(moment: dt.datetime) -> str:
    """Returns the time of day to the second, as the story of a job says it."""
    return time_element(moment, formats.seconds(moment))


@register.simple_tag(takes_context=True)
def menu_titles(context: Context) -> str:
    """Has the page's head and its window called what the menu calls them. Returns nothing to show."""
    groups = context.get("sidebar_navigation") or []
    context["request"].menu_titles = {
        str(item["link"]): str(item["title"]) for group in groups for item in group["items"] if "link" in item
    }
    return ""


@register.filter
def in_menu(part: dict[str, Any], request: Any) -> str:
    """Returns the name of one step to the page: the menu's, where the menu leads there."""
    return str(getattr(request, "menu_titles", {}).get(str(part.get("link", "")), part["title"]))


@register.simple_tag(takes_context=True)
def list_title(context: Context) -> str:
    """Returns what the menu calls the list that is shown, else the page's title."""
    changelist, title = context.get("cl"), context.get("title", "")
    if changelist is None:
        return str(title)
    return in_menu({"link": context["request"].path, "title": changelist.opts.verbose_name_plural}, context["request"])


@register.filter
def span(length: dt.timedelta | None) -> str:
    """Returns `40 s`, `3 min`, `2 h`."""
    if length is None:
        return "–"
    seconds = max(length.total_seconds(), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return str(unit).format(number=int(seconds // size))
    return _("{number} s").format(number=int(seconds))


class Support(NamedTuple):
    """Where help is asked for: the address to open, how it is read, and what to name there."""

    url: str
    shown: str
    reference: str


@register.simple_tag(takes_context=True)
def support(context: Context) -> Support:
    """Returns where help is asked for, about the page's `support_reference` (a job, an account), else about the
    request."""
    reference = str(context.get("support_reference") or getattr(context.get("request"), "request_id", ""))
    return Support(support_url(reference), support_shown(reference), reference)


@register.simple_tag
def clock() -> SafeString:
    """Returns what the page's script needs to keep relative times true: its words, and how late the server's clock
    is."""
    words: dict[str, Any] = {
        "server": timezone.now().timestamp(),
        "units": [(size, str(unit)) for size, unit in _UNITS],
        "past": str(_PAST),
        "future": str(_FUTURE),
        "now": str(_NOW),
        "soon": str(_SOON),
        "until": _RELATIVE,
    }
    return json_script(words, "fc-clock")
