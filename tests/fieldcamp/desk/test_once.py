"""What answers a form with something that is shown once: loaded again, it does nothing again."""

import re

import pytest
from django.core import mail
from django.test import Client

from tests.fieldcamp.webhooks.admin.conftest import NEW
from tests.integrations.admin.conftest import posts_of
from tests.integrations.hostile import stored

CONNECT_LINK = {"integration": "google_calendar", "hours": "72"}


def _forms(rows):
    link = {**CONNECT_LINK, "member": rows.tech.pk, "address": "tech@example.test"}
    return {
        "new key": (
            "/admin/api/apikey/add/",
            {
                "name": "Zapier",
                "scopes": ["integrations:read"],
                "expires_at_0": "2099-01-01",
                "expires_at_1": "00:00:00",
            },
        ),
        "new webhook": (
            "/admin/webhooks/webhookendpoint/add/",
            {**NEW, "url": "http://127.0.0.1:9/in"},
        ),
        "new connect link": ("/admin/integrations/connectlink/add/", link),
        "webhook secret": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/rotate/", {"overlap": "24"}),
        "key secret": (f"/admin/api/apikey/{rows.key.pk}/rotate/", {"overlap": "24"}),
    }


def _posted(browser: Client, address: str, fields: dict) -> dict:
    """The form as it is rendered, with the fields filled in: the bytes that a reload sends once more."""
    page = browser.get(address).content.decode()
    return {**fields, "csrfmiddlewaretoken": re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]}


@pytest.fixture
def strict(desk):
    browser = desk()
    browser.handler.enforce_csrf_checks = True
    return browser


@pytest.mark.parametrize("name", ["new key", "new webhook", "new connect link", "webhook secret", "key secret"])
def test_the_same_delivery_again_changes_nothing(name, strict, ours, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True  # no name is looked up
    address, fields = _forms(ours)[name]
    posted = _posted(strict, address, fields)
    before = stored()
    first = strict.post(address, posted)
    assert first.status_code == 200, first.content.decode()[:2000]
    after, sent = stored(), len(mail.outbox)
    assert after != before
    again = strict.post(address, posted)
    assert again.status_code == 302
    assert (stored(), len(mail.outbox)) == (after, sent)
    assert "This was done already" in strict.get(again["Location"]).content.decode()
    # Another form is another deed (a second webhook to one address is refused by its own rule).
    if "url" not in fields:
        assert strict.post(address, _posted(strict, address, fields)).status_code == 200
        assert stored() != after


def test_of_a_delivery_that_was_broken_off_nobody_says_that_it_was_done(strict, ours, monkeypatch):
    monkeypatch.setattr("fieldcamp.desk.once._settle", lambda *_args: None)  # as if the process had been killed there
    address, fields = _forms(ours)["key secret"]
    posted = _posted(strict, address, fields)
    assert strict.post(address, posted).status_code == 200
    after, again = stored(), strict.post(address, posted)
    assert (again.status_code, again["Location"]) == (302, address)
    shown = strict.get(address).content.decode()
    assert "This was sent already" in shown and "was done already" not in shown
    assert stored() == after


def test_what_was_refused_may_be_sent_again(strict, ours):
    address, fields = _forms(ours)["new key"]
    posted = _posted(strict, address, {**fields, "name": ""})
    for _ in range(2):
        assert "This field is required" in strict.post(address, posted).content.decode()


@pytest.mark.slow
def test_every_button_ends_in_a_redirect_or_is_done_once(desk, ours):
    once = {"rotate"}
    posts = posts_of(ours)
    posts = {"decide": posts.pop("decide"), **posts}  # while it is there
    posts["revoke"] = posts.pop("revoke")  # last: what is revoked is not rotated
    for name, (address, fields) in posts.items():
        answer = desk().post(address, fields)
        assert answer.status_code == (200 if name in once else 302), (name, answer.status_code)
