"""Intuit's part of the sign-in dance, as allauth wants it."""

from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider

from integrations.providers.quickbooks import QUICKBOOKS, oauth
from integrations.providers.signin import ConsentAccount, ConsentLogin


class QuickBooksLogin(ConsentLogin):
    provider_id = QUICKBOOKS.slug
    integration = QUICKBOOKS
    basic_auth = True
    headers = oauth.TOKEN_HEADERS

    @property
    def authorize_url(self) -> str:
        return oauth.authorize_url()

    @property
    def access_token_url(self) -> str:
        return oauth.token_url()


class QuickBooksProvider(OAuth2Provider):
    id = QUICKBOOKS.slug
    name = QUICKBOOKS.label
    account_class = ConsentAccount
    oauth2_adapter_class = QuickBooksLogin
    pkce_enabled_default = False  # Intuit does not know it

    def get_default_scope(self) -> list[str]:
        return list(QUICKBOOKS.scopes)

    def extract_uid(self, data) -> str:
        return data["id"]


provider_classes = [QuickBooksProvider]
