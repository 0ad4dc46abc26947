"""Of allauth's addresses only those that consent needs. Its sign-up, sign-in and password pages do not exist here."""

from importlib import import_module

from django.urls import include, path
from django.views.generic import RedirectView

from integrations.providers import PROVIDERS
from integrations.providers.signin import refuse_direct_start

_to_sign_in = RedirectView.as_view(pattern_name="admin:login")

urlpatterns = [
    *(path("", include(import_module(f"integrations.providers.{name}.urls"))) for name in PROVIDERS),
    # Names that allauth looks up in passing.
    path("login/", _to_sign_in, name="account_login"),
    path("refused/", refuse_direct_start, name="socialaccount_login_cancelled"),
]
