"""Cross-Account Protection: what Google tells of its accounts by itself.

https://developers.google.com/identity/protocols/risc
"""

import base64
import hashlib

from django.conf import settings

from integrations.providers.google_calendar.risc import RiscStream
from integrations.providers.security_events import EventSource

PREFIX = 16  # characters


def token_names(refresh_token: str) -> dict[str, str]:
    """Returns the names by which Google speaks of a refresh token that is revoked."""
    twice = hashlib.sha512(hashlib.sha512(refresh_token.encode()).digest()).digest()
    return {"prefix": refresh_token[:PREFIX], "hash_base64_sha512_sha512": base64.b64encode(twice).decode()}


EVENTS = EventSource(
    configuration_url=lambda: f"{settings.GOOGLE_ACCOUNTS_URL}/.well-known/risc-configuration",
    hosts=lambda: (settings.GOOGLE_ACCOUNTS_URL, settings.GOOGLE_API_URL),
    audiences=lambda: tuple(filter(None, [settings.GOOGLE_CLIENT["client_id"]])),
    token_names=token_names,
    open_stream=RiscStream,
)
