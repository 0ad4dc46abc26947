from integrations.providers.google_calendar import GOOGLE_CALENDAR
from integrations.providers.signin import addresses_of

urlpatterns = addresses_of(GOOGLE_CALENDAR)
