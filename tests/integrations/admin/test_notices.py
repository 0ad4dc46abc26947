"""The page of notices: who gets which mail, a test, the weekly summary at once; the chat; what is new; who is down."""

import datetime as dt
import json
import re

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Member
from fieldcamp.workspace.notices import ACCESS, OUTAGE, PAUSED, WEBHOOKS, addresses_for
from integrations.jobs import tasks
from integrations.mail import chat, problems
from integrations.mail.alerts import alert_needs_person, alert_paused
from integrations.models import ChatAddress, ChatMessage, Problem
from integrations.providers import PROVIDERS
from tests.fieldcamp.webhooks.receivers import receiving
from tests.integrations.admin.conftest import GOOGLE

HERE = "/admin/integrations/notices/"
SECRET_PATH = "/services/T0/B0/xoxCANARYxox"


def page(browser, address: str = HERE) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def ticked(html: str) -> list[str]:
    return re.findall(r'name="was" value="([^"]+)"', html)


def said(browser, address: str, **fields) -> str:
    answer = browser.post(address, fields, follow=True)
    assert answer.status_code == 200 and answer.redirect_chain, (address, answer.status_code)
    return answer.content.decode()


def people(desk, ours) -> dict[str, Member]:
    for role in ("owner", "admin", "staff"):
        desk(role, email=f"{role}@ours.test")
    return {member.role: member for member in Member.objects.filter(workspace=ours.workspace, user__isnull=False)}


def test_each_chooses_for_themselves_and_admins_for_whom_they_may(desk, ours, theirs, mailoutbox):
    team = people(desk, ours)
    owner, admin, staff = team["owner"], team["admin"], team["staff"]
    pk = ours.workspace.pk
    assert addresses_for(pk, PAUSED) == ["owner@ours.test"]
    # An admin: own mails, and those of whoever may be handled; not an owner's.
    was = ticked(html := page(desk("admin")))
    assert f"{admin.pk}:outage" in was and f"{ours.tech.pk}:access" in was
    assert not [value for value in was if value.startswith((owner.pk, theirs.tech.pk))]
    assert "Owner" in html and "Theirs" not in html
    on = [value for value in was if value != f"{admin.pk}:outage"] + [f"{admin.pk}:paused"]
    assert "Saved: 1 person" in said(desk("admin"), HERE, was=was, on=on)
    assert addresses_for(pk, OUTAGE) == ["owner@ours.test"]
    assert addresses_for(pk, PAUSED) == ["admin@ours.test", "owner@ours.test"]
    entry = AuditEntry.objects.get(action="notices.chosen")
    assert (entry.object_id, entry.before, entry.after) == (
        admin.pk, {"outage": True, "paused": False}, {"outage": False, "paused": True},
    )  # fmt: skip
    # What somebody else has chosen meanwhile stays: only what differs from the page is taken.
    assert "Nothing was changed" in said(desk("admin"), HERE, was=was, on=was)
    assert addresses_for(pk, OUTAGE) == ["owner@ours.test"]
    # Forged: an owner's by an admin, another company's, a kind that there is not, what cannot be switched off.
    for member, kind in ((owner, "outage"), (theirs.tech, "access"), (admin, "none"), (admin, "security")):
        answer = desk("admin").post(HERE, {"was": [f"{member.pk}:{kind}"], "on": []})
        assert answer.status_code == 400 and "no choice of yours" in answer.content.decode()
    assert AuditEntry.objects.filter(action="notices.chosen").count() == 1
    # Staff see and choose nothing but their own; a person with an account of their own gets what is about that.
    html = page(desk("staff"))
    assert "Who gets which mail" not in html and "Owner" not in html and "Chat channel" not in html
    assert "Your own login" in html and not ticked(html) and staff.pk in html
    assert addresses_for(pk, ACCESS, ours.tech) == ["admin@ours.test", "owner@ours.test", "tech@google.test"]
    was = ticked(page(desk("owner")))
    kept = [value for value in was if value not in (f"{ours.tech.pk}:access", f"{owner.pk}:access")]
    said(desk("owner"), HERE, was=was, on=kept)
    alert_needs_person(ours.connection.pk)
    assert [sent.to for sent in mailoutbox] == [["admin@ours.test"]]
    # Nobody left is said.
    said(desk("owner"), HERE, was=[f"{owner.pk}:webhooks", f"{admin.pk}:webhooks"], on=[])
    assert addresses_for(pk, WEBHOOKS) == []
    assert re.search(r"A webhook does not arrive</dt><dd>\s*<span[^>]*>Nobody<", page(desk("owner")))


def test_a_test_mail_and_the_weekly_summary_at_once(desk, ours, mailoutbox, settings):
    people(desk, ours)
    assert "sent to staff@ours.test" in said(desk("staff"), f"{HERE}test/")
    assert mailoutbox[-1].to == ["staff@ours.test"] and "- Your own login" in mailoutbox[-1].body
    Problem.objects.filter(pk=ours.conflict.pk).update(message="Two answers for one visit.")
    shown = page(desk("admin"), f"{HERE}week/?week=this")
    assert "Two answers for one visit." in shown and "problems wait for a person" in shown
    assert "sent to admin@ours.test" in said(desk("admin"), f"{HERE}week/send/", week="this")
    sent = mailoutbox[-1]
    assert sent.to == ["admin@ours.test"] and sent.subject in shown.replace("&#x27;", "'")
    assert "Two answers for one visit." in sent.body and "asked for it" in sent.body and "To stop it" not in sent.body
    # Last week nothing was connected: said, not sent.
    assert "Nothing was connected" in page(desk("admin"), f"{HERE}week/")
    assert "nothing to send" in said(desk("admin"), f"{HERE}week/send/", week="last")
    assert desk("admin").get(f"{HERE}week/?week=x").status_code == 400
    assert desk("staff").get(f"{HERE}week/").status_code == 403
    assert len(mailoutbox) == 2
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    for address in (f"{HERE}test/", f"{HERE}week/send/"):
        assert "The mail server did not take it" in said(desk("admin"), address, week="this")


def test_new_problems_once_a_day_for_who_asks(desk, ours, mailoutbox):
    owner = people(desk, ours)["owner"]
    noon = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)  # in New York
    fresh = {"workspace": ours.workspace, "integration": GOOGLE, "connection": ours.connection, "code": "CONFLICT"}

    def meet(name: str, at: dt.datetime) -> None:
        with time_machine.travel(at, tick=False):
            Problem.objects.create(**fresh, record_id=name, message=f"About {name}.", occurred_at=at)

    Problem.objects.all().delete()
    meet("the old one", noon - dt.timedelta(days=3))
    meet("one", noon - dt.timedelta(hours=1))
    assert problems.send_due(noon) == 0  # nobody has asked for it
    said(desk("owner"), HERE, was=[], on=[f"{owner.pk}:problems"])
    Problem.objects.update(occurred_at=noon)  # met again in each run: that makes the old one no newer
    assert [problems.send_due(noon + dt.timedelta(hours=hours)) for hours in (-7, 0, 1)] == [0, 1, 0]
    meet("another", noon + dt.timedelta(hours=2))
    assert [problems.send_due(noon + dt.timedelta(hours=hours)) for hours in (3, 24, 25, 48)] == [0, 1, 0, 0]
    assert [sent.subject for sent in mailoutbox] == ["1 new thing needs you: Ours"] * 2
    assert "About one." in mailoutbox[0].body and "the old one" not in mailoutbox[0].body
    assert "About another." in mailoutbox[1].body and "About one." not in mailoutbox[1].body


def test_a_chat_hears_what_mails_say(desk, ours, theirs, settings, queue, caplog):
    browser, answers = desk("owner", email="o@ours.test"), [(500, {}, b"down"), (200, {}, b"ok"), (404, {}, b"gone")]
    refused = browser.post(f"{HERE}chat/", {"url": "http://169.254.169.254/latest"})
    assert refused.status_code == 400 and "must begin with https://" in refused.content.decode()
    assert not ChatAddress.objects.exists() and "Enter one first" in said(browser, f"{HERE}chat/test/")
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with receiving(lambda got: answers.pop(0) if answers else (200, {}, b"ok")) as receiver:
        url = receiver.url.replace("/hook", SECRET_PATH)
        said(browser, f"{HERE}chat/", url=url)
        alert_paused(ours.connection.pk)
        alert_paused(theirs.connection.pk)  # has no chat
        assert not receiver.got and queue.queue_size() == 0  # rung for once the transaction is through
        now = timezone.now()
        assert chat.send_due(now) == 0  # 500: tried again
        [waiting] = ChatMessage.objects.all()
        assert waiting.next_at > now and not chat.is_due(now)
        assert "it answered 500" in page(browser)
        assert chat.send_due(waiting.next_at) == 1
        assert json.loads(receiver.got[-1].body) == {
            "text": f"Google Calendar of {ours.connection.account_name} is paused\n"
            f"{settings.PUBLIC_URL}/admin/integrations/connection/{ours.connection.pk}/change/"
        }
        assert receiver.got[-1].path == SECRET_PATH and "Taken" in page(browser)
        # Gone for good: not tried again, and said.
        alert_paused(ours.connection.pk)
        chat.send_due(timezone.now())
        assert not ChatMessage.objects.exists() and "it answered 404" in page(browser)
        assert "The test was taken" in said(browser, f"{HERE}chat/test/")
        text = json.loads(receiver.got[-1].body)["text"]
        assert text == "A test from FieldCamp: the notices of Ours will be said here."
        # A kind that is not wanted is not said; a new address hears nothing that was meant for the old one.
        said(browser, f"{HERE}chat/kinds/", kinds=["access", "outage"])
        alert_paused(ours.connection.pk)
        assert not ChatMessage.objects.exists()
        alert_needs_person(ours.connection.pk)
        said(browser, f"{HERE}chat/", url=f"{url}2")
        assert not ChatMessage.objects.exists() and ChatAddress.objects.get().off
    assert "could not be reached" in said(browser, f"{HERE}chat/test/")
    settings.WEBHOOK_ALLOW_PRIVATE = False
    alert_needs_person(ours.connection.pk)
    tasks.say_in_chats()
    assert ChatAddress.objects.get().last_error == "BLOCKED_ADDRESS"  # judged anew at each call
    # The address is nowhere but in its own column, encrypted.
    shown = "".join(page(browser, address) for address in (HERE, "/admin/", "/admin/workspace/auditentry/"))
    trail = "".join(f"{entry.before}{entry.after}{entry.object_name}" for entry in AuditEntry.objects.all())
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_chataddress")
        stored = repr(cursor.fetchall())
    assert "CANARY" not in shown + trail + stored + caplog.text
    for role in ("staff", "viewer"):
        for path in ("chat/", "chat/kinds/", "chat/test/", "chat/remove/"):
            assert desk(role).post(HERE + path, {"url": "https://x.example/"}).status_code == 403
    said(browser, f"{HERE}chat/remove/")
    assert not ChatAddress.objects.exists()
    actions = set(AuditEntry.objects.filter(action__startswith="chat.").values_list("action", flat=True))
    assert actions == {"chat.set", "chat.tested", "chat.kinds_chosen", "chat.removed"}


def test_what_is_new_since_somebody_last_looked(desk, ours):
    browser, start = desk("admin", email="a@ours.test"), timezone.now()
    assert "Since you last looked" not in page(browser, "/admin/")
    with time_machine.travel(start + dt.timedelta(minutes=10), tick=False):
        assert "Since you last looked" not in page(browser, "/admin/")  # the same sitting
    then = start + dt.timedelta(hours=9)
    with time_machine.travel(then, tick=False):
        ours.job.__class__.objects.filter(pk=ours.job.pk).update(created_at=then, pulled=3)
        Problem.objects.create(
            workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, code="CONFLICT",
            record_id="new", message="A new question.", occurred_at=then,
        )  # fmt: skip
        Problem.objects.filter(pk=ours.conflict.pk).update(resolved_at=then)
        Problem.objects.exclude(message="A new question.").update(occurred_at=then)  # met again: not new
        desk("owner").post(f"/admin/integrations/connections/{ours.connection.pk}/pause/")
    with time_machine.travel(then + dt.timedelta(minutes=5), tick=False):
        for _ in range(2):  # a reload shows the same
            shown = page(browser, "/admin/").split('id="since-title"')[1].split("</section>")[0]
            text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
            assert "1 sync: 3 taken in, 1 sent. 1 of them did not do all." in text
            assert "1 new thing needs you: A new question." in text and "1 problem was settled." in text
            assert "Owner paused" in text
        assert "Owner paused" not in page(desk("viewer"), "/admin/")
    member = Member.objects.get(user__username__startswith="admin-")
    assert member.last_seen_at == start.replace(microsecond=member.last_seen_at.microsecond) or (
        abs(member.last_seen_at - start) < dt.timedelta(minutes=11)
    )


@pytest.mark.parametrize("integration", [GOOGLE])
def test_a_vendor_that_does_not_answer_is_said_at_the_top_of_each_page(desk, ours, theirs, integration):
    since = timezone.now() - dt.timedelta(minutes=42)
    Problem.objects.create(
        workspace=ours.workspace, integration=integration, connection=ours.connection, code="PROVIDER_UNAVAILABLE",
        message="503", occurred_at=since,
    )  # fmt: skip
    status_page = PROVIDERS[integration].status_page
    for address in (HERE, "/admin/workspace/visit/", f"/admin/workspace/client/{ours.client.pk}/change/"):
        shown = page(desk("viewer"), address)
        assert "Google Calendar has not answered for 42 min." in shown and "nothing is lost" in shown
        assert f'href="{status_page}"' in shown and "Status page of Google" in shown
    first = page(desk("viewer"), "/admin/")
    assert 'id="outage"' not in first and f'href="{status_page}"' in first
    assert status_page not in page(desk("owner", at=theirs), HERE)
    assert all(provider.status_page.startswith("https://") for provider in PROVIDERS.values())
