from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from integrations.providers.google_calendar.provider import GoogleCalendarProvider

urlpatterns = default_urlpatterns(GoogleCalendarProvider)
