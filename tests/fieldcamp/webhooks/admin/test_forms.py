"""Making, editing and the buttons: a secret is shown once, and a refusal stands at its field."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.models import AuditEntry
from tests.fieldcamp.webhooks.admin.conftest import ENDPOINTS, NEW, text_of
from tests.integrations.admin.conftest import WEBHOOK_CANARY

ADD, CHECK = f"{ENDPOINTS}add/", f"{ENDPOINTS}check/"
CUSTOM = NEW | {"preset": "custom"}


def secret_in(html: str) -> str:
    return re.search(r'id="secret" value="([^"]+)"', html)[1]


def made() -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(description="Board")


def test_the_secret_is_on_the_answer_and_nowhere_else(desk, ours):
    browser = desk("admin")
    response = browser.post(ADD, NEW)
    html = response.content.decode()
    secret = secret_in(html)
    endpoint = made()
    assert (endpoint.workspace, endpoint.status, endpoint.events) == (ours.workspace, "pending", ["visit.*"])
    assert (endpoint.secret, endpoint.created_by) == (secret, "Admin")
    assert "no-store" in response["Cache-Control"]
    assert "FIELDCAMP_WEBHOOK_SECRET" in html and html.count(secret) == 1
    for part in ("change", "edit", "rotate"):
        assert secret not in browser.get(f"{ENDPOINTS}{endpoint.pk}/{part}/").content.decode()
    kept = str([row.get_decoded() for row in Session.objects.all()]) + str(list(AuditEntry.objects.values()))
    assert secret not in kept + str(response.cookies)
    assert AuditEntry.objects.filter(action="webhook.created", actor="Admin", object_id=endpoint.pk).exists()


@pytest.mark.parametrize(
    ("values", "events"),
    [
        ({}, ["visit.*"]),
        ({"preset": "everything", "events": ["visit.created"]}, ["*"]),
        ({"preset": "money"}, ["invoice.*", "payment.*", "item.*", "tax.*"]),
        ({"preset": "custom", "events": ["visit.created", "sync.started"]}, ["visit.created", "sync.started"]),
    ],
)
def test_presets_are_sets_of_types(values, events, desk, ours):
    desk().post(ADD, NEW | values | {"sources": "people"})
    assert (made().events, made().sources, made().only_changed) == (events, ["api", "desk"], True)


def test_no_preset_has_the_beginning_of_syncs(desk, ours):
    desk().post(ADD, NEW | {"preset": "health"})
    assert "sync.completed" in made().events and not {"sync.*", "sync.started"} & set(made().events)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": ""}, "Enter the address that events are sent to."),
        ({"url": "ftp://hooks.example.com"}, "Address · "),
        ({"url": "https://user:pw@hooks.example.com/"}, "The address must hold no user name or password."),
        ({"url": "https://" + "x" * 3000}, "2,048 characters at most."),
        ({"preset": "custom"}, "Choose at least one event."),
        ({"preset": "custom", "events": ["visit.exploded"]}, "visit.exploded is no event that you can choose."),
        ({"preset": "custom", "events": ["webhook.test"]}, "webhook.test is no event that you can choose."),
        ({"preset": "nonsense"}, "Select a valid choice."),
        ({"max_per_second": "0"}, "greater than or equal to 1"),
        ({"max_per_second": "1e9"}, "Enter a whole number."),
        ({"description": "a\u202eb"}, "turn the reading direction"),
    ],
)
def test_a_wrong_form_makes_nothing_and_says_why(wrong, said, desk, ours):
    response = desk().post(ADD, NEW | wrong)
    assert response.status_code == 400
    assert said in text_of(response)
    assert not WebhookEndpoint.objects.filter(description="Board").exists()


def test_the_same_address_for_the_same_events_is_refused_at_its_field(desk, ours):
    browser = desk()
    assert browser.post(ADD, NEW).status_code == 200
    response = browser.post(ADD, NEW | {"description": "Twice"})
    assert response.status_code == 400
    assert f"The webhook {made().pk} has this address already" in text_of(response)


def test_only_so_many_are_made(desk, ours, monkeypatch):
    monkeypatch.setattr("fieldcamp.webhooks.services.MOST_ENDPOINTS", 1)
    assert "Delete one first." in text_of(desk().post(ADD, NEW))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://hooks.example.com/in", "Events can be sent here."),
        ("https://127.0.0.1/", "Enter a name instead of an IP address."),
        ("https://intranet.internal/", "The address points into a private network."),
        ("nonsense", "Enter a whole address"),
        ("  ", ""),
    ],
)
def test_the_address_is_checked_while_it_is_typed(url, said, desk, settings, monkeypatch):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    monkeypatch.setattr("fieldcamp.webhooks.addresses.check_reachable", looked_up)
    assert text_of(desk().post(CHECK, {"url": url})).startswith(said)
    assert desk().get(CHECK).status_code == 405


def looked_up(url, rules):
    """The rules without a name server."""
    from integrations.transport.public_addresses import destination_of

    destination_of(url, rules)


def test_no_transaction_is_open_while_a_name_is_looked_up(desk, ours, transactional_db, monkeypatch):
    from django.db import connection

    seen = []
    monkeypatch.setattr(
        "fieldcamp.webhooks.checked_urls.check_address", lambda url: seen.append(connection.in_atomic_block)
    )
    browser = desk()
    browser.post(ADD, NEW)
    browser.post(f"{ENDPOINTS}{made().pk}/edit/", NEW | {"url": "https://other.example.com/"})
    browser.post(CHECK, {"url": "https://other.example.com/"})
    assert seen == [False, False, False]


def test_an_edit_changes_only_what_was_edited(desk, ours, page):
    form = NEW | {"url": ours.webhook.url, "description": "Yard"}
    assert desk().post(page("edit"), form).status_code == 302
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.description, endpoint.status, endpoint.events) == ("Yard", "enabled", ["visit.*"])
    entry = AuditEntry.objects.get(action="webhook.updated")
    assert set(entry.after) == {"description"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sources, shown",
    [
        ([], "all"), (["desk", "api"], "people"), (["desk"], "kept"), (["desk", "sync"], "kept"), (["system"], "kept"),
    ],
)  # fmt: skip
def test_whose_doing_is_sent_stays_until_it_is_chosen_anew(sources, shown, desk, ours, page):
    WebhookEndpoint.objects.update(sources=sources)
    browser = desk()
    form = browser.get(page("edit")).context["form"]
    assert form["sources"].value() == shown and ("As it is: " in str(form["sources"])) == (shown == "kept")
    said = text_of(browser.get(page()))
    assert ("A person, at the desk" in said, "A sync" in said) == ("desk" in sources, "sync" in sources)
    values = NEW | {"url": ours.webhook.url, "description": "Yard", "sources": shown}
    assert browser.post(page("edit"), values).status_code == 302
    assert (WebhookEndpoint.objects.get().description, WebhookEndpoint.objects.get().sources) == ("Yard", sources)
    other = "all" if sources else "people"
    browser.post(page("edit"), values | {"sources": other})
    assert WebhookEndpoint.objects.get().sources == ([] if sources else ["api", "desk"])


def test_another_address_waits_for_a_test_and_is_mailed(desk, ours, page, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        desk(email="").post(page("edit"), NEW)
    assert WebhookEndpoint.objects.get().status == "pending"


@pytest.mark.slow
def test_a_rotated_secret_is_shown_once(desk, ours, page):
    browser = desk()
    assert "is signed with both secrets" in text_of(browser.get(page("rotate")))
    response = browser.post(page("rotate"), {"overlap": "24"})
    secret = secret_in(response.content.decode())
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.secret, endpoint.previous_secret) == (secret, WEBHOOK_CANARY) and secret != WEBHOOK_CANARY
    assert "the old one is used as well until" in text_of(browser.get(page()))
    assert browser.post(page("rotate"), {"overlap": "12345"}).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize("part", ["edit", "rotate"])
def test_secrets_and_addresses_are_confirmed(part, desk, ours, page, time_machine):
    import datetime as dt

    from django.utils import timezone

    browser = desk()
    time_machine.move_to(timezone.now() + dt.timedelta(hours=2))
    for address in (page(part), ADD):
        response = browser.post(address, NEW | {"overlap": "24"})
        assert 'id="secret"' not in response.content.decode()
    assert WebhookEndpoint.objects.get().secret == WEBHOOK_CANARY
    assert mail.outbox == []


def test_pausing_and_resuming(desk, ours, page):
    browser = desk()
    assert "Paused: events are kept" in text_of(browser.post(page("pause"), follow=True))
    assert 'id="resume"' in browser.get(page()).content.decode()
    assert "Resumed: what has waited is sent now." in text_of(browser.post(page("resume"), follow=True))


@pytest.mark.slow
def test_enabling_sends_what_was_missed_if_asked(desk, ours, page):
    from django.utils import timezone

    since = ours.event.created_at
    missed = {"missed_since": since, "missed_after": 1}
    WebhookEndpoint.objects.update(status="disabled", disabled_reason="gone", disabled_at=since, **missed)
    WebhookDelivery.objects.update(state="skipped", finished_at=timezone.now())
    said = text_of(desk().post(page("enable"), {"replay_missed": "on"}, follow=True))
    assert "Enabled: 1 event that was missed is sent now." in said
    assert WebhookDelivery.objects.get().state == "pending"


@pytest.mark.slow
def test_what_is_left_of_the_missed_is_offered_again(desk, ours, page, monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr("fieldcamp.webhooks.missing.MOST", 0)
    missed = {"missed_since": ours.event.created_at, "missed_after": 1}
    WebhookEndpoint.objects.update(status="disabled", disabled_reason="gone", disabled_at=timezone.now(), **missed)
    WebhookDelivery.objects.update(state="skipped", finished_at=timezone.now())
    browser = desk()
    said = text_of(browser.post(page("enable"), {"replay_missed": "on"}, follow=True))
    assert "Enabled: events are sent again. 1 more was missed and is kept" in said
    monkeypatch.undo()
    assert 'id="enable"' in browser.get(page()).content.decode()
    assert 'name="replay_missed"' in browser.get(page("enable")).content.decode()
    assert "1 event that was missed is sent now." in text_of(
        browser.post(page("enable"), {"replay_missed": "on"}, follow=True)
    )
    assert 'id="enable"' not in browser.get(page()).content.decode()


@pytest.mark.slow
def test_failed_events_are_sent_again(desk, ours, page):
    browser = desk()
    assert "Resend failed" not in browser.get(page()).content.decode()
    WebhookDelivery.objects.update(state="failed")
    assert "Resend failed" in browser.get(page()).content.decode()
    assert "1 failed event is sent again." in text_of(browser.post(page("resend"), follow=True))
    assert WebhookDelivery.objects.filter(replay_of=ours.delivery.pk, state="pending").count() == 1
    assert "Nothing is left to be sent again." in text_of(browser.post(page("resend"), follow=True))


@pytest.mark.slow
def test_a_refusal_is_said_on_the_page(desk, ours, page):
    WebhookEndpoint.objects.update(status="disabled")
    for part in ("pause", "resume", "resend"):
        assert "This webhook is disabled. Enable it first." in text_of(desk().post(page(part), follow=True))
    delivery = f"/admin/webhooks/webhookdelivery/{ours.delivery.pk}/resend/"
    assert "This webhook is disabled. Enable it first." in text_of(desk().post(delivery, follow=True))


def test_one_delivery_is_sent_again(desk, ours):
    response = desk().post(f"/admin/webhooks/webhookdelivery/{ours.delivery.pk}/resend/")
    again = WebhookDelivery.objects.get(replay_of=ours.delivery.pk)
    assert response["Location"].endswith(f"/{again.pk}/change/")
    assert AuditEntry.objects.filter(action="webhook.replayed", actor="Owner").exists()
