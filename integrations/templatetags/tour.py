"""The demo's tour: what to try, in four steps, until it is dismissed."""

from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest

from fieldcamp.desk.demo import is_demo
from fieldcamp.desk.users import desk_user_of
from integrations.selectors.tour import steps_done
from integrations.views.tour import is_dismissed

register = template.Library()


@register.inclusion_tag("integrations/tour.html", takes_context=True)
def tour(context: dict[str, Any]) -> dict[str, Any]:
    """Returns the tour; nothing outside of the demo, for who has dismissed it, and once all of its steps are done."""
    request: HttpRequest = context["request"]
    workspace = desk_user_of(request).workspace
    if not is_demo() or workspace is None or is_dismissed(request):
        return {"shown": False}
    done = steps_done(workspace)
    return {
        "shown": not all((done.connected, done.synced, done.moved, done.blocked)),
        "done": done,
        "sandbox": settings.SANDBOX_URL,
        "csrf_token": context.get("csrf_token"),
    }
