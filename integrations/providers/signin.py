"""The sign-in at a vendor with OAuth 2.0: allauth leads through it, and we keep the whole of the token's answer.

(allauth itself keeps neither the granted scopes nor the refresh token's end.)
"""

import datetime as dt
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from integrations.errors import ProviderError
from integrations.providers.base import Provider
from integrations.providers.discovery import Endpoint
from integrations.providers.oauth import OAuth
from integrations.transport.client import HttpClient, OneToken


class ConsentAccount(ProviderAccount):
    """Named by allauth only; no SocialAccount is ever saved."""


class ExchangeClient(OAuth2Client):
    """Exchanges the code through our one exit to the network, so that time-outs and classification apply."""

    integration: Provider
    oauth: OAuth

    def get_access_token(self, code, pkce_code_verifier=None, extra_data=None) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            **({"code_verifier": pkce_code_verifier} if pkce_code_verifier else {}),
        }
        try:
            answer = self.oauth.ask(HttpClient(self.integration, None), fields)
            self.oauth.parse_tokens(answer, dt.datetime.now(dt.UTC))
        except ProviderError as error:
            raise OAuth2Error("The code could not be exchanged.") from error
        return answer


class ConsentLogin(OAuth2Adapter):
    """One provider's sign-in. The result carries `tokens` and `consented` (the account) for
    `integrations.views.consent`."""

    integration: ClassVar[Provider]
    oauth: ClassVar[OAuth]
    client_class = ExchangeClient

    @property
    def authorize_url(self) -> str:
        return self.oauth.endpoint(Endpoint.AUTHORIZATION)

    @property
    def access_token_url(self) -> str:
        return self.oauth.endpoint(Endpoint.TOKEN)

    def get_client(self, request: HttpRequest, app) -> ExchangeClient:
        client = super().get_client(request, app)
        client.integration, client.oauth = self.integration, self.oauth
        return client

    def get_callback_url(self, request: HttpRequest, app) -> str:
        path = reverse(f"{self.provider_id}_callback")
        # On one machine people open localhost, 127.0.0.1 or another port alike, and the session lives with that name.
        if urlsplit(settings.PUBLIC_URL).hostname in ("127.0.0.1", "localhost", "::1"):
            return request.build_absolute_uri(path)
        return settings.PUBLIC_URL + path

    def parse_token(self, data) -> SocialToken:
        """allauth's own view of the token: in memory only, and no more than it needs."""
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app, token, **kwargs):
        try:
            tokens = self.integration.parse_tokens(kwargs["response"], dt.datetime.now(dt.UTC))
            http = HttpClient(self.integration, OneToken(tokens.access_token))
            account = self.integration.identify(http, request.GET.dict())
        except ProviderError as error:
            raise OAuth2Error("The account could not be read.") from error
        login = self.get_provider().sociallogin_from_response(request, {"id": account.id})
        login.tokens, login.consented = tokens, account
        return login


class ConsentProvider(OAuth2Provider):
    """What allauth wants to know of one provider. Raises SocialApp.DoesNotExist where this site has no app there."""

    integration: ClassVar[Provider]
    oauth: ClassVar[OAuth]
    account_class = ConsentAccount
    uses_apps = False  # of allauth's own keeping: ours stands in the settings

    def __init__(self, request: HttpRequest, app=None) -> None:
        client = self.oauth.client
        if not client["client_id"]:
            raise SocialApp.DoesNotExist
        super().__init__(request, SocialApp(provider=self.id, name=self.name, **client))

    @property
    def pkce_enabled_default(self) -> bool:
        return self.oauth.pkce

    def get_default_scope(self) -> list[str]:
        return list(self.integration.scopes)

    def get_auth_params(self) -> dict[str, str]:
        return {**self.oauth.auth_params, **super().get_auth_params()}

    def extract_uid(self, data) -> str:
        return data["id"]


def consent_class(provider: Provider, oauth: OAuth) -> type[ConsentProvider]:
    """Builds the provider's class for allauth, with its adapter as `oauth2_adapter_class`."""
    name, facts = provider.label.replace(" ", ""), {"integration": provider, "oauth": oauth}
    login = type(f"{name}Login", (ConsentLogin,), {"provider_id": provider.slug, **facts})
    return type(
        f"{name}Consent",
        (ConsentProvider,),
        {"id": provider.slug, "name": provider.label, "oauth2_adapter_class": login, **facts},
    )


def addresses_of(provider: Provider) -> list[URLPattern]:
    """Builds the two addresses that allauth knows by name: where a sign-in would start, and where people come back."""
    slug, consent = provider.slug, registry.get_class(provider.slug)
    take_answer = OAuth2CallbackView.adapter_view(consent.oauth2_adapter_class)

    @require_safe
    def back(request: HttpRequest) -> HttpResponse:
        try:
            answer = take_answer(request)
        except SocialApp.DoesNotExist:  # it was taken out of the settings meanwhile, or nobody was ever sent away
            answer = redirect("consent_ended", slug, "misconfigured")
        answer["Referrer-Policy"] = "no-referrer"  # this address has the vendor's code: no site is told of it
        return answer

    return [
        path(f"{slug}/login/", refuse_direct_start, name=f"{slug}_login"),
        path(f"{slug}/login/callback/", back, name=f"{slug}_callback"),
    ]


def refuse_direct_start(request: HttpRequest) -> HttpResponse:
    """Refuses: a connected calendar must never become a way to sign in, and consent starts from the connect page
    alone."""
    return render(request, "connect/refused.html", status=403)
