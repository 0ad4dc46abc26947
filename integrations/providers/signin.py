"""What all providers share of the sign-in dance: allauth does it, and we keep the whole of the token's answer.

(allauth itself keeps neither the granted scopes nor the refresh token's end.)
"""

import datetime as dt
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.errors import ProviderError
from integrations.providers.base import Provider
from integrations.transport.answers import json_object
from integrations.transport.client import HttpClient, OneToken, basic_auth


class ConsentAccount(ProviderAccount):
    """Named by allauth only; no SocialAccount is ever saved."""


class ExchangeClient(OAuth2Client):
    """Exchanges the code through our one exit to the network, so that time-outs and classification apply."""

    integration: Provider

    def get_access_token(self, code, pkce_code_verifier=None, extra_data=None) -> dict[str, Any]:
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            **({"code_verifier": pkce_code_verifier} if pkce_code_verifier else {}),
        }
        headers = dict(self.headers or {})
        if self.basic_auth:
            headers["Authorization"] = basic_auth(self.consumer_key, self.consumer_secret)
        else:
            data |= {"client_id": self.consumer_key, "client_secret": self.consumer_secret}
        try:
            http = HttpClient(self.integration, None)
            answer = json_object(http.request("POST", self.access_token_url, data=data, headers=headers))
            self.integration.parse_tokens(answer, dt.datetime.now(dt.UTC))
        except ProviderError as error:
            raise OAuth2Error("The code could not be exchanged.") from error
        return answer


class ConsentLogin(OAuth2Adapter):
    """One provider's sign-in. The result carries `tokens` and `consented` (the account) for
    `integrations.views.consent`."""

    integration: ClassVar[Provider]

    def get_client(self, request: HttpRequest, app) -> ExchangeClient:
        client = ExchangeClient(
            request,
            app.client_id,
            app.secret,
            "POST",
            self.access_token_url,
            self.get_callback_url(request, app),
            headers=self.headers,
            basic_auth=self.basic_auth,
        )
        client.integration = self.integration
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


def refuse_direct_start(request: HttpRequest) -> HttpResponse:
    """A connected calendar must never become a way to sign in: consent starts from the connect page alone."""
    return render(request, "connect/refused.html", status=403)
