"""Who sees what of webhooks. Which page opens for which role is in tests/integrations/admin/test_roles.py."""

import pytest

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.fieldcamp.webhooks.admin.conftest import DELIVERIES, ENDPOINTS, NEW
from tests.integrations.admin.conftest import pages_of

PAYLOAD, ANSWER = "Ring twice", "No room"


@pytest.mark.parametrize(
    ("role", "payload", "answer"),
    [("owner", True, True), ("admin", True, True), ("staff", True, False), ("viewer", False, False)],
)
def test_payloads_and_answers_are_for_those_who_need_them(role, payload, answer, desk, ours):
    browser = desk(role)
    delivery, event = (browser.get(pages_of(ours)[name]).content.decode() for name in ("delivery", "event"))
    assert (PAYLOAD in delivery, PAYLOAD in event) == (payload, payload)
    assert (ANSWER in delivery) == answer
    assert ("Copy as curl" in delivery, ">Resend<" in delivery) == (answer, answer)


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_the_others_change_nothing(role, desk, ours, page):
    browser = desk(role)
    assert "Send test" not in browser.get(page()).content.decode()
    posts = [f"{ENDPOINTS}add/", f"{ENDPOINTS}check/", *(page(part) for part in ("edit", "rotate", "test"))]
    for address in (*posts, f"{DELIVERIES}{ours.delivery.pk}/curl/"):
        assert browser.post(address, NEW | {"overlap": "24"}).status_code == 403, address
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.secret) == (ours.webhook.url, ours.webhook.secret)


def test_a_deleted_webhook_is_gone_with_its_log(desk, ours, page):
    browser = desk()
    assert browser.post(page("delete")).status_code == 302
    for address in (page(), pages_of(ours)["delivery"], page("edit")):
        assert browser.get(address).status_code == 404
    assert browser.get(pages_of(ours)["event"]).status_code == 200


@pytest.mark.slow
def test_anothers_webhooks_do_not_exist(desk, ours, theirs):
    browser = desk()
    for part in ("change", "edit", "rotate", "enable", "delete"):
        assert browser.get(f"{ENDPOINTS}{theirs.webhook.pk}/{part}/").status_code == 404
    for part in ("test", "pause", "resume", "enable", "resend", "edit", "rotate", "delete"):
        assert browser.post(f"{ENDPOINTS}{theirs.webhook.pk}/{part}/", NEW | {"overlap": "0"}).status_code == 404
    for part in ("resend", "curl"):
        assert browser.post(f"{DELIVERIES}{theirs.delivery.pk}/{part}/").status_code == 404
    html = "".join(browser.get(address).content.decode() for address in (ENDPOINTS, "/admin/webhooks/webhookevent/"))
    assert theirs.webhook.pk not in html and theirs.event.pk not in html
    assert WebhookDelivery.objects.count() == 2
