from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from integrations.providers.outlook_calendar.provider import OutlookCalendarProvider

urlpatterns = default_urlpatterns(OutlookCalendarProvider)
