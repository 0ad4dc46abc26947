"""The demo's tour: what to try, in four steps, until it is dismissed."""

from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest

from fieldcamp.desk.demo import is_demo
from fieldcamp.desk.users import desk_user_of
from integrations.views.tour import is_dismissed

register = template.Library()


@register.inclusion_tag("integrations/tour.html", takes_context=True)
def tour(context: dict[str, Any]) -> dict[str, Any]:
    """Returns the tour; nothing outside of the demo, and nothing for who has dismissed it."""
    request: HttpRequest = context["request"]
    shown = is_demo() and desk_user_of(request).workspace is not None and not is_dismissed(request)
    return {"shown": shown, "sandbox": settings.SANDBOX_URL, "csrf_token": context.get("csrf_token")}
