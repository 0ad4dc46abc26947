"""The steps of a sign-in: the password, then the factor of who has one, then the session."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fieldcamp.desk import notices
from fieldcamp.desk.demo import credentials
from fieldcamp.desk.site import themed
from fieldcamp.signin import devices, factors, records, throttle
from fieldcamp.signin.addresses import client_address
from fieldcamp.signin.forms import SecondStepForm
from fieldcamp.signin.middleware import too_many

PENDING = "signin_pending"  # in the session: who has given the password, and not the factor yet
PATIENCE = 600  # seconds between the two
BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInView(LoginView):
    """The first step. How it answers tells nobody whether a name exists."""

    attempt: throttle.Attempt

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.attempt = throttle.attempt(
                "login", self._name, client_address(request), devices.known_as(request, self._name)
            )
        except throttle.Throttled as refused:
            response, first = too_many(request, refused), refused.first
            records.after(response, lambda: records.throttled(request, self._meant(), records.PASSWORD, first))
            return response
        return super().post(request, *args, **kwargs)

    @property
    def _name(self) -> str:
        return self.request.POST.get("username", "")[:254]

    def _meant(self) -> User | None:
        return None if "\x00" in self._name else User.objects.filter(username=self._name).first()

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        records.after(response, lambda: records.failed(self.request, self._meant(), records.PASSWORD))
        return response

    def form_valid(self, form: Any) -> HttpResponseRedirect:
        user = form.get_user()
        self.attempt.succeeded()
        if not factors.has_factor(user):
            return finish(self.request, user, self.get_success_url())
        if self.request.user.is_authenticated:
            self.request.session.flush()  # somebody else's, or an older one of their own
        self.request.session[PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "since": int(timezone.now().timestamp()),
            "next": self.get_success_url(),
        }
        self.request.session.cycle_key()
        return HttpResponseRedirect(reverse("signin:code"))


def sign_in_page(request: HttpRequest, extra: dict[str, Any], form_class: Any) -> HttpResponse:
    """Shows and takes the first step, as Django's admin does."""
    context = {
        **admin.site.each_context(request),
        "title": gettext("Log in"),
        "subtitle": None,
        "app_path": request.get_full_path(),
        "username": request.user.get_username(),
        "demo": credentials(),
        **extra,
    }
    if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
        context[REDIRECT_FIELD_NAME] = reverse("admin:index")
    view = SignInView.as_view(extra_context=context, authentication_form=form_class, template_name="admin/login.html")
    return view(request)  # type: ignore[return-value]


def finish(request: HttpRequest, user: User, address: str, factor: str = "") -> HttpResponseRedirect:
    """Begins the session, and mails the person if the browser is a new one."""
    name = user.get_username()
    first = user.last_login is None
    known = devices.known_as(request, name)
    login(request, user, backend=BACKEND)
    records.succeeded(request, user, factor)
    if not known and not first:
        notices.tell(
            user,
            gettext("A new sign-in"),
            gettext(
                "Somebody signed in with your login from a browser that it was not used in before ({from_})."
            ).format(from_=client_address(request)),
        )
    response = HttpResponseRedirect(address)
    devices.remember(request, response, name)
    return response


@dataclass(frozen=True)
class Pending:
    """Who has given the password and is asked for the factor, and where they want to go."""

    user: User
    address: str


def pending_of(request: HttpRequest) -> Pending | None:
    """Returns whose factor is waited for; None if nobody's, or if it has taken too long, or the password is another."""
    kept = request.session.get(PENDING)
    if not kept or timezone.now().timestamp() - kept["since"] > PATIENCE:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), kept["hash"]):
        return None
    return Pending(user, kept["next"])


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Takes the second step: a code, or a passkey."""
    pending = pending_of(request)
    if pending is None:
        request.session.pop(PENDING, None)
        return redirect("admin:login")
    form = SecondStepForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            device = devices.known_as(request, pending.user.get_username())
            attempt = throttle.attempt("code", str(pending.user.pk), client_address(request), device)
        except throttle.Throttled as refused:
            records.throttled(request, pending.user, "factor", refused.first)
            return too_many(request, refused)
        if factor := _factor(pending.user, form.cleaned_data):
            attempt.succeeded()
            request.session.pop(PENDING)
            return finish(request, pending.user, pending.address, factor.type)
        records.failed(request, pending.user, "factor")
        form.add_error("code", gettext("That was not right, or has been used already. Wait for the next code."))
    context = {
        **admin.site.each_context(request),
        "title": gettext("The second step"),
        "form": form,
        "options": factors.passkey_options(pending.user),
    }
    response = TemplateResponse(request, "signin/code.html", context, status=400 if form.errors else 200)
    return themed(response)  # type: ignore[return-value]


def _factor(user: User, given: dict[str, Any]) -> Any:
    if given["credential"]:
        return factors.takes_passkey(user, given["credential"])
    return factors.takes_code(user, given["code"])
