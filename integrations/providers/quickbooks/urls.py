from integrations.providers.quickbooks import QUICKBOOKS
from integrations.providers.signin import addresses_of

urlpatterns = addresses_of(QUICKBOOKS)
