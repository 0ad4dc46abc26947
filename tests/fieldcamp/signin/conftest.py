"""A company with an owner who has a password, and a browser in which they sign in."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser

from fieldcamp.workspace.models import Member

PASSWORD = "correct horse battery staple"
LOGIN, CODE, SECURITY = "/admin/login/", "/admin/login/code/", "/admin/security/"


@pytest.fixture
def clock():
    """A clock that stands still until it is shifted."""
    with time_machine.travel("2026-11-28T12:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def mails(mailoutbox, monkeypatch) -> list:
    """What is mailed when a transaction is through; a test's own never is."""
    monkeypatch.setattr("fieldcamp.desk.notices.transaction.on_commit", lambda send, robust: send())
    return mailoutbox


@pytest.fixture
def make_person(make_member) -> Callable[..., Member]:
    """Makes somebody with a login that has been used before: `make_person("olivia", role="owner")`."""

    def make(name: str, **fields: Any) -> Member:
        user = User.objects.create_user(name, f"{name}@example.test", PASSWORD, is_staff=True)
        User.objects.filter(pk=user.pk).update(last_login="2026-01-01T00:00:00Z")
        user.refresh_from_db()
        return make_member(**{"first_name": name.capitalize(), "role": "owner", "user": user, **fields})

    return make


@pytest.fixture
def olivia(make_person) -> Member:
    return make_person("olivia")


def sign_in(
    username: str, password: str = PASSWORD, address: str = "127.0.0.1", browser: Browser | None = None, **extra
):
    """Posts to the sign-in; the answer."""
    form = {"username": username, "password": password}
    return (browser or Browser()).post(LOGIN, form, REMOTE_ADDR=address, **extra)


def signed_in(member: Member) -> Browser:
    browser = Browser()
    assert sign_in(member.user.username, browser=browser).status_code == 302
    return browser
