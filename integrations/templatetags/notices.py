"""What the desk tells at the top of its pages: vendors that do not answer."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils import timezone

from fieldcamp.desk.users import desk_user_of

register = template.Library()


@register.inclusion_tag("integrations/outage_banner.html", takes_context=True)
def outage_banner(context: dict[str, Any]) -> dict[str, Any]:
    """Returns a line for each vendor that does not answer; nothing for who is not signed in."""
    # Here, because the theme looks for libraries of tags while its own admin is being imported.
    from integrations.admin.first_page import vendors_down_at
    from integrations.admin.outage_banner import lines_of_downs

    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return {"lines": []}
    desk_user = desk_user_of(request)
    if not desk_user.may_enter or desk_user.workspace is None:
        return {"lines": []}
    return {"lines": lines_of_downs(vendors_down_at(request, desk_user.workspace), timezone.now())}
