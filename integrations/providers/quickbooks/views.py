"""The two addresses that allauth knows by name: where a sign-in would start, and where Intuit leads people back."""

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView

from integrations.providers.quickbooks.provider import QuickBooksLogin
from integrations.providers.signin import refuse_direct_start

oauth2_login = refuse_direct_start
oauth2_callback = OAuth2CallbackView.adapter_view(QuickBooksLogin)
