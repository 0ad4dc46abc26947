"""Asking for password or factor again before deeds that matter, without losing what was typed."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from fieldcamp.desk.demo import credentials
from fieldcamp.desk.site import desk_view
from fieldcamp.signin import devices, factors, records, sessions, throttle
from fieldcamp.signin.addresses import client_address
from fieldcamp.signin.forms import ConfirmForm

ASKED = ("confirm_password", "confirm_code", "confirm_credential")
_NOT_CARRIED = ("csrfmiddlewaretoken", *ASKED)


def is_answer(request: HttpRequest) -> bool:
    """Returns whether the request answers the question of this page."""
    return any(name in request.POST for name in ASKED)


def take_answer(request: HttpRequest) -> ConfirmForm:
    """Tries the password, code or passkey that was given: the form has no errors if it is right. Raises Throttled."""
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return form
    device = devices.known_as(request, request.user.get_username())
    attempt = throttle.attempt("confirm", str(request.user.pk), client_address(request), device)
    if _is_right(request, form.cleaned_data):
        attempt.succeeded()
        sessions.confirm(request)
    else:
        records.failed(request, request.user, "confirmation")
        form.add_error(None, gettext("That was not right. Nothing was done yet: try again."))
    return form


def _is_right(request: HttpRequest, given: dict[str, Any]) -> bool:
    user: Any = request.user
    if given["confirm_credential"]:
        return factors.takes_passkey(user, given["confirm_credential"]) is not None
    if given["confirm_code"]:
        return factors.takes_code(user, given["confirm_code"]) is not None
    return bool(user.check_password(given["confirm_password"]))


def drop_answer(request: HttpRequest) -> None:
    """Leaves of the request what was posted at first."""
    posted = request.POST.copy()
    for name in ASKED:
        posted.pop(name, None)
    request.POST = posted  # type: ignore[assignment]


def may_be_carried(request: HttpRequest) -> bool:
    """Returns whether the page may hold what was posted until it goes on: no files, and no new password."""
    return not request.FILES and not any("password" in name for name in request.POST if name not in ASKED)


@desk_view("GET", "POST")
def ask(request: HttpRequest, form: ConfirmForm | None = None, wait: int = 0, status: int = 401) -> HttpResponse:
    """Asks; what was posted waits in the page, and goes on from there to where it was meant to go. 401 says that it is
    not done yet (https://www.rfc-editor.org/rfc/rfc9470)."""
    user: Any = request.user
    carried = [
        (name, value)
        for name, values in (request.POST.lists() if may_be_carried(request) else ())
        for value in values
        if name not in _NOT_CARRIED
    ]
    context = {
        **admin.site.each_context(request),
        "title": gettext("Is it still you?"),
        "form": form or ConfirmForm(),
        "carried": carried,
        "with_code": factors.has_factor(user) or factors.recovery_codes_left(user) is not None,
        "options": factors.passkey_options(user),
        "wait": wait,
        "demo": _demo_password(request),
    }
    response = TemplateResponse(request, "signin/confirm.html", context, status=429 if wait else status)
    if wait:
        response["Retry-After"] = str(wait)
    elif status == 401:
        response["WWW-Authenticate"] = 'Desk error="insufficient_user_authentication"'
    return response


def _demo_password(request: HttpRequest) -> str:
    known = credentials()
    return known["password"] if known and known["username"] == request.user.get_username() else ""


def target(request: HttpRequest, data: QueryDict) -> str:
    """Returns the page of ours that `next` names. BadRequest for any other."""
    wanted = data.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        raise BadRequest("This page leads nowhere.")
    return wanted
