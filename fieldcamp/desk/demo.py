"""The demo's own sign-in, offered to whoever tries it. Nowhere else: a site without the sandbox has no such file."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model


def is_demo() -> bool:
    """Returns whether this site is pointed at the sandbox, knowingly."""
    return bool(settings.ALLOW_SANDBOX and settings.SANDBOX_URL)


def credentials() -> dict[str, str] | None:
    """Returns the sample company's owner, as `scripts/demo` has written it down; None where there is none."""
    if not is_demo():
        return None
    try:
        admin: Any = json.loads((settings.FIELDCAMP_DATA / "demo.json").read_text())["admin"]
        found = {name: str(admin[name]) for name in ("username", "password")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    known = get_user_model().objects.filter(username=found["username"], is_active=True, is_staff=True)
    return found if known.exists() else None
