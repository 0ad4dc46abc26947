"""The admin site with our sign-in."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from fieldcamp.desk.site import DeskSite, themed


class SignInSite(DeskSite):
    """The desk's site. What signs in and what changes a password is throttled before anything is hashed.

    Imports stand in the methods: Django makes the site before there are models.
    """

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        from fieldcamp.signin.steps import sign_in_page

        if request.method == "GET" and self.has_permission(request):
            return themed(redirect("admin:index"))
        request.current_app = self.name
        return themed(sign_in_page(request, extra_context or {}, self.login_form))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Changes one's own password: the old one is asked for, and may be guessed no faster than at the sign-in."""
        from fieldcamp.signin.addresses import client_address
        from fieldcamp.signin.middleware import too_many
        from fieldcamp.signin.throttle import Throttled, attempt

        if request.method != "POST":
            return super().password_change(request, extra_context)
        try:
            tried = attempt("confirm", str(request.user.pk), client_address(request))
        except Throttled as refused:
            return too_many(request, refused)
        response = super().password_change(request, extra_context)
        if response.status_code == 302:
            tried.succeeded()
        return response
