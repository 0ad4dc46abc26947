"""The admin site, and the same rules for pages of ours that stand beside it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.sites import UnfoldAdminSite

from fieldcamp.desk.users import desk_user_of
from fieldcamp.formats import in_currency
from fieldcamp.workspace.tracking import attributed

View = Callable[..., HttpResponseBase]

# Alpine, which the theme is made with, evaluates its attributes: https://alpinejs.dev/advanced/csp
# Only these pages get this; everywhere else the policy of settings.py holds.
_THEME_POLICY = {"script-src": ["'self'", "'unsafe-eval'"]}


def themed(response: HttpResponseBase) -> HttpResponseBase:
    """Lets the page run what the theme is made with."""
    response._csp_update = _THEME_POLICY  # type: ignore[attr-defined]  # as django-csp's csp_update does
    return response


def _in_company_time(view: View) -> View:
    """Times are read and shown in the company's zone. Rendered here, while that zone is in force."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        desk_user = desk_user_of(request)
        with (
            timezone.override(desk_user.timezone),
            in_currency(desk_user.currency),
            attributed(actor=desk_user.name, source="desk"),
        ):
            response = view(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response = response.render()
        return themed(response)

    return inner


class DeskSite(UnfoldAdminSite):
    """For members with a login and a role, and for superusers. Permissions come from the role (`desk.admins`). How they
    sign in is `fieldcamp.signin.site`."""

    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return desk_user_of(request).may_enter

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return super().admin_view(_in_company_time(view), cacheable)


def desk_view(*methods: str, may: str = "view") -> Callable[[View], View]:
    """Returns a page or button of the desk outside of the admin site: signed in, role allows `may`, one of the methods.

    A fragment asked for by a page whose session has ended makes that page reload, which leads to the sign-in.
    """

    def decorator(view: View) -> View:
        placed = _in_company_time(view)

        @never_cache
        @require_http_methods(methods)
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not desk_user_of(request).may_enter:
                if "HX-Request" in request.headers:
                    return HttpResponse(status=204, headers={"HX-Refresh": "true"})
                back = request.get_full_path() if request.method == "GET" else reverse("admin:index")
                return redirect_to_login(back, reverse("admin:login"))
            if any("\x00" in str(value) for value in kwargs.values()):
                raise Http404  # PostgreSQL refuses NUL in any text
            if not desk_user_of(request).may(may):
                raise PermissionDenied
            return placed(request, *args, **kwargs)

        return inner

    return decorator
