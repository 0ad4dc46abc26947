"""What `manage.py check --deploy` says of the sign-in."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Returns a warning where a proxy is to be expected and none is named: all callers would be one address."""
    if not settings.PUBLIC_URL.startswith("https://") or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is empty, so everybody who comes through the proxy shares one limit of tries to sign in.",
            hint="Set it to the addresses of the proxy that ends TLS, such as 127.0.0.1.",
            id="signin.W001",
        )
    ]
