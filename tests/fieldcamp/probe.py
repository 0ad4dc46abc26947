"""Starts the site anew with the settings of its environment, signs somebody in, and prints what came back as JSON.

What is written is taken back. Run by `test_settings.py` in a process of its own, since settings are read once.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fieldcamp.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from integrations.providers import PROVIDERS  # noqa: E402
from integrations.providers.oauth import OAuth  # noqa: E402


def shown(response) -> dict:
    cookies = {
        name: {flag: cookie[flag] for flag in ("secure", "httponly", "samesite", "domain", "path")}
        for name, cookie in response.cookies.items()
    }
    return {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}


def main() -> None:
    host = json.loads(sys.argv[1])
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    browser = Client(raise_request_exception=False, headers=host)
    found = {"operators need a second factor": settings.OPERATORS_NEED_SECOND_FACTOR}
    settings.OPERATORS_NEED_SECOND_FACTOR = False  # else no page but that of the factor opens
    with transaction.atomic():
        User.objects.create_superuser("probe", "probe@example.test", "a long passphrase")
        found["form"] = shown(browser.get("/admin/login/"))
        found["signed in"] = shown(
            browser.post("/admin/login/", {"username": "probe", "password": "a long passphrase", "next": "/admin/"})
        )
        found["told"] = shown(browser.post("/admin/auth/group/add/", {"name": "Probe"}))
        dashboard = browser.get("/admin/")
        found["dashboard"], found["scheme"] = shown(dashboard), dashboard.wsgi_request.scheme
        found["elsewhere"] = shown(
            Client(raise_request_exception=False, headers=host | {"host": "evil.test"}).get("/admin/")
        )
        plain = Client(raise_request_exception=False, headers={"host": host["host"]})
        found["plain"], found["plain API"] = (shown(plain.get(path)) for path in ("/admin/login/?a=1", "/api/v1/team"))
        found["metrics"] = shown(browser.get("/metrics", headers={"x-real-ip": "203.0.113.9"}))
        found["metrics here"] = shown(plain.get("/metrics"))
        by_address = Client(raise_request_exception=False, headers=host | {"host": "127.0.0.1:8000"})
        found["healthz"], found["by address"] = (shown(by_address.get(path)) for path in ("/healthz", "/admin/login/"))
        found["missing"] = browser.get("/no/such/page").content.decode()
        transaction.set_rollback(True)
    oauth = {provider.slug: provider.authentication for provider in PROVIDERS.values()}
    found["pkce"] = {slug: declared.pkce for slug, declared in oauth.items() if isinstance(declared, OAuth)}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    setup_test_environment(debug=settings.DEBUG)
    settings.ALLOWED_HOSTS.remove("testserver")
    main()
