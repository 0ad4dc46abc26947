"""Microsoft's part of the sign-in dance, as allauth wants it."""

from allauth.socialaccount.providers.microsoft.provider import MicrosoftGraphProvider

from integrations.providers.outlook_calendar import OUTLOOK_CALENDAR, oauth
from integrations.providers.signin import ConsentAccount, ConsentLogin


class OutlookCalendarLogin(ConsentLogin):
    provider_id = OUTLOOK_CALENDAR.slug
    integration = OUTLOOK_CALENDAR

    @property
    def authorize_url(self) -> str:
        return oauth.authorize_url()

    @property
    def access_token_url(self) -> str:
        return oauth.token_url()


class OutlookCalendarProvider(MicrosoftGraphProvider):
    id = OUTLOOK_CALENDAR.slug
    name = OUTLOOK_CALENDAR.label
    account_class = ConsentAccount
    oauth2_adapter_class = OutlookCalendarLogin
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return list(OUTLOOK_CALENDAR.scopes)

    def get_auth_params(self) -> dict[str, str]:
        # Else a browser that is signed in at Microsoft connects that account unasked.
        return {"prompt": "select_account", **super().get_auth_params()}


provider_classes = [OutlookCalendarProvider]
