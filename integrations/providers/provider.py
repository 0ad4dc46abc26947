"""The module that allauth looks for in each app: every provider's class, made of what the provider declares."""

from integrations.providers import PROVIDERS
from integrations.providers.oauth import OAuth
from integrations.providers.signin import consent_class

provider_classes = [
    consent_class(provider, provider.authentication)
    for provider in PROVIDERS.values()
    if isinstance(provider.authentication, OAuth)
]
