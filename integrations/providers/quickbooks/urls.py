from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from integrations.providers.quickbooks.provider import QuickBooksProvider

urlpatterns = default_urlpatterns(QuickBooksProvider)
