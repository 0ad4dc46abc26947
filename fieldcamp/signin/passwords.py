"""Forgotten passwords, and what becomes known when a password was changed."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetView
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk import notices
from fieldcamp.signin import records, throttle
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.sign_ins import PasswordTrail

PAUSE = 60  # seconds between two mails to one login


class ForgottenForm(PasswordResetForm):
    """Mails whoever may enter the desk; also who was invited and has not set a password yet."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        label_suffix="",
    )

    def get_users(self, email: str) -> Iterable[User]:
        seated = Q(pk__in=Member.objects.filter(is_active=True, user__isnull=False).values("user")) | Q(
            is_superuser=True
        )
        found = User.objects.filter(seated, email__iexact=email, is_active=True)
        return [user for user in found if throttle.once("password mail", str(user.pk), seconds=PAUSE)]


class ForgottenView(PasswordResetView):
    """Answers every address alike, and looks for its login when the answer has been sent."""

    form_class = ForgottenForm
    template_name = "desk/password_forgotten.html"
    email_template_name = "desk/forgotten.txt"
    subject_template_name = "desk/forgotten_subject.txt"

    @property
    def extra_email_context(self) -> dict[str, str]:  # type: ignore[override]
        """Returns the site's own address: the one of the request is whatever the sender wrote into it."""
        return {"address": settings.PUBLIC_URL}

    def form_valid(self, form: Any) -> HttpResponse:
        response = HttpResponseRedirect(str(self.get_success_url()))
        records.after(response, lambda: super(ForgottenView, self).form_valid(form))
        return response


class ToldLengthValidator(PasswordTrail):
    """Tells the person, beside the audit trail, of a password that was set, in whatever way."""

    def password_changed(self, password: str, user: Any = None) -> None:
        super().password_changed(password, user)
        if user is not None and user.pk and user.last_login:  # else it is the first one, and nobody has lost anything
            notices.tell(
                user,
                gettext("Your password was changed"),
                gettext("The password of your login was changed. All other sessions have ended."),
            )
