"""Google's part of the sign-in dance, as allauth wants it."""

from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider

from integrations.providers.google_calendar import GOOGLE_CALENDAR, oauth
from integrations.providers.signin import ConsentAccount, ConsentLogin


class GoogleCalendarLogin(ConsentLogin):
    provider_id = GOOGLE_CALENDAR.slug
    integration = GOOGLE_CALENDAR

    @property
    def authorize_url(self) -> str:
        return oauth.authorize_url()

    @property
    def access_token_url(self) -> str:
        return oauth.token_url()


class GoogleCalendarProvider(OAuth2Provider):
    id = GOOGLE_CALENDAR.slug
    name = GOOGLE_CALENDAR.label
    account_class = ConsentAccount
    oauth2_adapter_class = GoogleCalendarLogin
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return list(GOOGLE_CALENDAR.scopes)

    def get_auth_params(self) -> dict[str, str]:
        # Without `offline` there is no refresh token; without `consent` Google sends one the first time only.
        # https://developers.google.com/identity/protocols/oauth2/web-server#offline
        return {"access_type": "offline", "prompt": "consent select_account", **super().get_auth_params()}

    def extract_uid(self, data) -> str:
        return data["id"]


provider_classes = [GoogleCalendarProvider]
