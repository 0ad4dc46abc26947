"""Setting a password by a link from a mail: Django's own views, with our pages and rules."""

from collections.abc import Iterable

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.views import (
    PasswordResetCompleteView,
    PasswordResetConfirmView,
    PasswordResetDoneView,
    PasswordResetView,
)
from django.core.cache import cache
from django.db.models import Q
from django.urls import path
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.mailed import AddressChangeView, InvitationView

PAUSE = 60  # seconds between two mails to one login


class ForgottenForm(PasswordResetForm):
    """Mails whoever may enter the desk, at the login's address: one that waits to be confirmed is none yet."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        label_suffix="",
    )

    def get_users(self, email: str) -> Iterable[User]:
        seated = Q(members__is_active=True) | Q(is_superuser=True)
        found = User.objects.filter(seated, email__iexact=email, is_active=True).distinct()
        return [user for user in found if cache.add(f"password-mail:{user.pk}", 1, PAUSE)]


class ForgottenView(PasswordResetView):
    form_class = ForgottenForm
    template_name = "desk/password_forgotten.html"
    email_template_name = "desk/forgotten.txt"
    subject_template_name = "desk/forgotten_subject.txt"

    @property
    def extra_email_context(self) -> dict[str, str]:  # type: ignore[override]
        """Returns the site's own address: the one of the request is whatever the sender wrote into it."""
        return {"address": settings.PUBLIC_URL}


urlpatterns = [
    path("", ForgottenView.as_view(), name="admin_password_reset"),
    path("sent/", PasswordResetDoneView.as_view(template_name="desk/password_sent.html"), name="password_reset_done"),
    path("invitation/<str:token>/", InvitationView.as_view(), name="invitation"),
    path("address/<str:token>/", AddressChangeView.as_view(), name="address_change"),
    path(
        "<uidb64>/<token>/",
        PasswordResetConfirmView.as_view(template_name="desk/password_set.html"),
        name="password_reset_confirm",
    ),
    path(
        "set/",
        PasswordResetCompleteView.as_view(template_name="desk/password_done.html"),
        name="password_reset_complete",
    ),
]
