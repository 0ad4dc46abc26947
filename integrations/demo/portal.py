"""The demo as the app's developer: the address of its webhooks stands at Intuit's portal in the sandbox."""

import secrets
from collections.abc import Callable, MutableMapping
from typing import Any

SETTING = "INTUIT_WEBHOOK_VERIFIERS"


def verifier(known: str | None, environment: MutableMapping[str, str]) -> str:
    """Returns the verifier token of the last run, or a new one; processes with this environment believe it from now on,
    beside those that are set."""
    token = known or secrets.token_urlsafe(24)
    others = [each for each in environment.get(SETTING, "").split(",") if each.strip() not in ("", token)]
    environment[SETTING] = ",".join([token, *others])
    return token


def register(control: Callable[[str, str, Any], Any], public_url: str, token: str) -> None:
    """Enters the address to which Intuit posts; `control` calls the sandbox's controls."""
    control("POST", "/webhooks", {"vendor": "intuit", "url": f"{public_url}/push/intuit", "verifier": token})
