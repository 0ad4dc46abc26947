"""Secrets that deliveries are signed with, as Standard Webhooks has them: `whsec_` and 32 random bytes in base64.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#symmetric
"""

import base64
import secrets

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def hint(secret: str) -> str:
    """Returns its last four characters, by which somebody who has it recognizes it."""
    return secret[-4:]
