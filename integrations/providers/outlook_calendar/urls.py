from integrations.providers.outlook_calendar import OUTLOOK_CALENDAR
from integrations.providers.signin import addresses_of

urlpatterns = addresses_of(OUTLOOK_CALENDAR)
