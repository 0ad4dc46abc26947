"""No page shows an id, of ours or of a vendor, but in a folded line for support or in code to copy."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User

from integrations.models import Connection, JobItem, Link, Plan, Problem
from tests.integrations.admin.conftest import LISTS, pages_of

OURS = re.compile(r"\b[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}\b")
THEIRS = ("event-of-theirs-4711", "held-4712", "busy-4713", "id of Ours")
# What programs are given by: their pages are read by developers.
OF_PROGRAMS = ("webhook", "webhook form", "webhook secret", "enable webhook", "delete webhook", "delivery", "event",
               "webhooks", "events", "csv", "live")  # fmt: skip
FOLDED = ("script", "style", "code", "template", "details", "option")
VOID = ("input", "br", "img", "link", "meta", "hr", "wbr")


class Visible(HTMLParser):
    """The texts that are read without opening anything; of a folded part its summary."""

    def __init__(self, html: str):
        super().__init__()
        self.hidden: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in FOLDED and not (tag == "details" and "open" in dict(attrs)):
            self.hidden.append(tag)
        elif tag == "summary" and self.hidden:
            self.hidden.append("")

    def handle_endtag(self, tag):
        if tag == "summary" and self.hidden and not self.hidden[-1] or self.hidden and self.hidden[-1] == tag:
            self.hidden.pop()

    def handle_data(self, data):
        if not self.hidden or not self.hidden[-1]:
            self.texts.append(data)


def ids_in(html: str) -> list[str]:
    text = " ".join(Visible(html).texts)
    return OURS.findall(text) + [name for name in THEIRS if name in text]


def test_the_walker_sees_what_is_read_and_nothing_else():
    pk = "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD"
    assert ids_in(f"<p>{pk}</p>") == [pk]
    assert ids_in(f"<details><summary>{pk}</summary><p>x</p></details>") == [pk]
    assert ids_in(f"<details><summary>Id</summary>{pk}</details><code>{pk}</code><input value='{pk}'>") == []
    assert ids_in("<td>held-4712</td>") == ["held-4712"]


@pytest.mark.slow
def test_no_page_shows_an_id(desk, ours):
    Connection.objects.filter(pk=ours.connection.pk).update(account_name="dana@google.test")
    Plan.objects.filter(pk=ours.plan.pk).update(approved_by="Dana")
    Link.objects.filter(pk=ours.link.pk).update(remote_id=THEIRS[0], seen={"start": "2026-11-24T18:00:00Z"})
    Link.objects.filter(pk=ours.held.pk).update(remote_id=THEIRS[1])
    JobItem.objects.filter(job=ours.job, kind="block").update(key=THEIRS[2], remote_id=THEIRS[2])
    common = {"workspace": ours.workspace, "integration": ours.connection.integration, "connection": ours.connection,
              "occurred_at": ours.conflict.occurred_at}  # fmt: skip
    for number, code in enumerate(("RECORD_REJECTED", "EVENT_REMOVED", "CALENDAR_UNAVAILABLE", "NEEDS_RECONNECT")):
        kind, record_id = ("visit", ours.visit.pk) if number < 2 else ("", "")
        Problem.objects.create(**common, code=code, record_kind=kind, record_id=record_id, message="No.")
    browser, found = desk(), {}
    User.objects.filter(username__startswith="owner").update(username="olga")
    for name, address in {**LISTS, **pages_of(ours)}.items():
        if name not in OF_PROGRAMS:
            response = browser.get(address)
            assert response.status_code == 200, name
            if ids := ids_in(response.content.decode()):
                found[name] = ids
    assert not found, "\n".join(f"{name}: {ids}" for name, ids in found.items())
