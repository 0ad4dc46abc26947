"""Of allauth's addresses only those that consent needs. Its sign-up, sign-in and password pages do not exist here."""

from django.urls import path
from django.views.generic import RedirectView

from integrations.providers import PROVIDERS
from integrations.providers.oauth import OAuth
from integrations.providers.signin import addresses_of, refuse_direct_start
from integrations.views.consent import ended

_to_sign_in = RedirectView.as_view(pattern_name="admin:login")

urlpatterns = [
    *(
        address
        for provider in PROVIDERS.values()
        if isinstance(provider.authentication, OAuth)
        for address in addresses_of(provider)
    ),
    # Where somebody is led whose consent has made no connection.
    path("<slug:slug>/ended/<str:page>/", ended, name="consent_ended"),
    # Names that allauth looks up in passing.
    path("login/", _to_sign_in, name="account_login"),
    path("refused/", refuse_direct_start, name="socialaccount_login_cancelled"),
]
