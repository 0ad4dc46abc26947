"""What a process of its own is told of the test's database and settings."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection


def database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def environ(folder: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "API_KEY_PEPPER": settings.API_KEY_PEPPER,
        "TOKEN_ENCRYPTION_KEYS": ",".join(settings.TOKEN_ENCRYPTION_KEYS),
        "FIELDCAMP_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "fieldcamp.settings",
        "WEBHOOK_ALLOW_PRIVATE": "1",
        "ALLOW_SANDBOX": "1",
    }
