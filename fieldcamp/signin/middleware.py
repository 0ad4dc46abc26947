"""What holds for every page of the desk, whichever it is: sessions end, a demanded factor is set up first, marked views
(`fieldcamp.desk.guards`) are confirmed or throttled."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from fieldcamp.desk.guards import CONFIRMED, THROTTLED
from fieldcamp.desk.users import desk_user_of
from fieldcamp.signin import confirming, factors, records, sessions, throttle
from fieldcamp.signin.addresses import client_address

_PAGES = ("/admin/", "/accounts/")
_SAFE = ("GET", "HEAD", "OPTIONS")
# What opens for somebody who has to set up a factor first.
_ENROLMENT = ("signin:security", "signin:app", "signin:passkey", "signin:codes", "signin:confirm", "admin:logout")


class SignInRules:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(_PAGES) and request.user.is_authenticated:
            if sessions.is_over(request, desk_user_of(request)):
                logout(request)
                messages.info(request, gettext("You were signed out, because nothing had happened for a long time."))
            else:
                sessions.use(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if getattr(view, THROTTLED, False) and request.method not in _SAFE:
            try:
                throttle.calls(
                    str(request.resolver_match and request.resolver_match.view_name), client_address(request)
                )
            except throttle.Throttled as refused:
                return too_many(request, refused)
        if not request.path_info.startswith(_PAGES) or not desk_user_of(request).may_enter:
            return None
        here = request.resolver_match.view_name if request.resolver_match else ""
        if here not in _ENROLMENT and factors.lacks_factor(desk_user_of(request)):
            return _leave_for(request, reverse("signin:security"))
        return self._confirmed(request, getattr(view, CONFIRMED, None))

    def _confirmed(self, request: HttpRequest, mark: str | None) -> HttpResponseBase | None:
        """Asks before a marked view, unless the person has just shown that it is them."""
        if mark is None or (request.method in _SAFE and mark != "all"):
            return None
        if request.method == "POST" and confirming.is_answer(request):
            # An answer is tried even if none is needed any more (two tabs): what it came with goes on all the same.
            try:
                form = confirming.take_answer(request)
            except throttle.Throttled as refused:
                records.throttled(request, request.user, "confirmation", refused.first)
                return confirming.ask(request, wait=refused.wait)
            if form.errors:
                return confirming.ask(request, form=form)
            confirming.drop_answer(request)
            return None
        if sessions.is_fresh(request):
            return None
        back = request.get_full_path()
        if "HX-Request" in request.headers:
            page = urlsplit(request.headers.get("HX-Current-URL", ""))
            return _leave_for(request, _question(page._replace(scheme="", netloc="", fragment="").geturl() or "/"))
        if request.method in _SAFE or not confirming.may_be_carried(request):
            return redirect(_question(back))
        return confirming.ask(request)


def _question(back: str) -> str:
    return f"{reverse('signin:confirm')}?{urlencode({'next': back})}"


def _leave_for(request: HttpRequest, address: str) -> HttpResponse:
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def too_many(request: HttpRequest, refused: throttle.Throttled) -> HttpResponse:
    """Answers what was tried too often. The page is the same for everybody, whatever was tried."""
    response = render(request, "signin/too_many.html", {"wait": refused.wait}, status=429)
    response["Retry-After"] = str(refused.wait)
    response["Cache-Control"] = "no-store"
    return response
