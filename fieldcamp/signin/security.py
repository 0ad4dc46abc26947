"""The page of one's own login: factors, password, sessions, and the deeds on it."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

from fieldcamp.desk import notices
from fieldcamp.desk.guards import confirmed, confirmed_to_see
from fieldcamp.desk.once import done_once, once
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from fieldcamp.signin import confirming, factors, records, sessions, throttle
from fieldcamp.signin.addresses import client_address
from fieldcamp.signin.forms import AppForm, PasskeyForm
from fieldcamp.signin.middleware import too_many
from fieldcamp.workspace import login_sessions


def _context(request: HttpRequest, title: str, **values: Any) -> dict[str, Any]:
    enrolling = factors.lacks_factor(desk_user_of(request))
    context = {**admin.site.each_context(request), "title": title, "enrolling": enrolling, **values}
    # Whoever has to set up a factor first finds nothing else open.
    return {**context, "is_nav_sidebar_enabled": False, "account_links": []} if enrolling else context


@desk_view("GET")
def page(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    rows = list(factors.main_factors(user).order_by("created_at", "pk"))
    context = _context(
        request,
        gettext("Your login"),
        app=next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        passkeys=[(row, row.wrap().name) for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        codes_left=factors.recovery_codes_left(user),
        needed=factors.needs_factor(desk_user_of(request)),
        sessions=[
            (row, sessions.browser_of(row), row.session_key == request.session.session_key)
            for row in sessions.sessions_of(user)
        ],
    )
    return render(request, "signin/security.html", context)


@desk_view("GET", "POST")
def confirm(request: HttpRequest) -> HttpResponseBase:
    """Asks who it is before a page that is only looked at, and leads on to it."""
    address = confirming.target(request, request.GET)
    if request.method != "POST":
        return confirming.ask(request, status=200)
    try:
        form = confirming.take_answer(request)
    except throttle.Throttled as refused:
        records.throttled(request, request.user, "confirmation", refused.first)
        return confirming.ask(request, wait=refused.wait)
    return confirming.ask(request, form=form) if form.errors else redirect(address)


# --- factors --------------------------------------------------------------------------------------------------------


@confirmed_to_see
@desk_view("GET", "POST")
@once
def app(request: HttpRequest) -> HttpResponse:
    """Shows the secret for an authenticator app, and stores it once the app has shown a code for it."""
    user: Any = request.user
    form = AppForm(request.POST if request.method == "POST" else None)
    secret = get_totp_secret(regenerate=not form.is_bound)
    if form.is_valid():
        try:
            attempt = throttle.attempt("enrol", str(user.pk), client_address(request))
        except throttle.Throttled as refused:
            return too_many(request, refused)
        if factors.fits(secret, form.cleaned_data["code"]):
            attempt.succeeded()
            clear_totp_secret(request)
            return _added(request, factors.add_app(user, secret))
        form.add_error(
            "code", gettext("That is not the code that the app should show. Is the telephone's clock right?")
        )
    svg = get_adapter().build_totp_svg(get_adapter().build_totp_url(user, secret))
    picture = mark_safe(svg[svg.index("<svg") :])  # noqa: S308  # made here, of a secret in base 32
    context = _context(request, gettext("Set up an authenticator app"), form=form, secret=secret, picture=picture)
    return render(request, "signin/app.html", context, status=400 if form.errors else 200)


@confirmed_to_see
@desk_view("GET", "POST")
@once
def passkey(request: HttpRequest) -> HttpResponse:
    """Has the browser make a passkey, and stores it."""
    user: Any = request.user
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = factors.add_passkey(user, form.cleaned_data["name"], form.cleaned_data["credential"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _added(request, row)
    options = webauthn.begin_registration(user, passwordless=False)
    context = _context(request, gettext("Add a passkey"), form=form, options=options)
    return render(request, "signin/passkey.html", context, status=400 if form.errors else 200)


def _added(request: HttpRequest, row: Authenticator) -> HttpResponse:
    """Tells of the new factor; with the first one come recovery codes, on the page that answers and nowhere else."""
    user: Any = request.user
    kind = factors.kind_of(row)
    records.note("factor_added", user, factor=kind)
    notices.tell(
        user,
        gettext("A second step was added to your login"),
        gettext("Your login has a new second step: {factor}.").format(factor=kind),
    )
    messages.success(
        request, gettext("From now on you sign in with your password and this: {factor}.").format(factor=kind)
    )
    if factors.recovery_codes_left(user) is None:
        return _show_codes(request)
    return redirect("signin:security")


@confirmed
@desk_view("POST")
@once
def codes(request: HttpRequest) -> HttpResponse:
    """Makes new recovery codes."""
    user: Any = request.user
    if not factors.has_factor(user):
        messages.warning(request, gettext("Set up an authenticator app or a passkey first."))
        return redirect("signin:security")
    records.note("factor_codes_made", user)
    notices.tell(
        user,
        gettext("New recovery codes for your login"),
        gettext("New recovery codes were made for your login. The ones before are not good any more."),
    )
    return _show_codes(request)


def _show_codes(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    done_once(request, reverse("signin:security"))
    context = _context(request, gettext("Keep these codes"), codes=factors.new_recovery_codes(user))
    return TemplateResponse(request, "signin/codes.html", context)


@confirmed
@desk_view("POST")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes one of one's own factors."""
    user: Any = request.user
    row = factors.main_factors(user).filter(pk=pk).first()
    kind = factors.kind_of(row) if row else ""
    try:
        if factors.remove(desk_user_of(request), pk) is None:
            raise Http404
    except ValidationError as error:
        messages.warning(request, error.messages[0])
        return redirect("signin:security")
    records.note("factor_removed", user, factor=kind)
    notices.tell(
        user,
        gettext("A second step was removed from your login"),
        gettext("This is not asked for any more at your sign-in: {factor}.").format(factor=kind),
    )
    messages.success(request, gettext("Removed: {factor}.").format(factor=kind))
    return redirect("signin:security")


# --- sessions -------------------------------------------------------------------------------------------------------


@desk_view("POST")
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one session of one's own."""
    user: Any = request.user
    if not sessions.end(user, pk):
        raise Http404
    messages.success(request, gettext("That session has ended."))
    return redirect("signin:security")


@desk_view("POST")
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends all sessions but this one; with `everywhere` this one, too."""
    user: Any = request.user
    everywhere = "everywhere" in request.POST
    count = login_sessions.end_sessions(user, keep=request.session.session_key or "")
    records.note("sessions_ended", user, count=count)
    if everywhere:
        logout(request)
        messages.success(request, gettext("You are signed out everywhere."))
        return redirect("admin:login")
    messages.success(request, gettext("All other sessions have ended."))
    return redirect("signin:security")
