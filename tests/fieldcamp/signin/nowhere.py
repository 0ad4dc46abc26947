"""A mail server that takes nothing, in a way that nobody has thought of."""

from typing import Any

from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise RuntimeError("Nothing goes out here.")
