"""Times on every page: in the company's zone, with UTC on hover, and nowhere else."""

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from django.utils import timezone

from fieldcamp.desk.templatetags.desk import ago, span
from fieldcamp.formats import day
from fieldcamp.workspace.audit import audit
from integrations.models import Heartbeat, SyncJob
from tests.integrations.admin.conftest import LISTS, pages_of

CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b|\b[ap]\.m\.")
# Jobs are named by when they were asked for, visits are told apart by their time and client.
KEEP = re.compile(r"Keep .+ \(.+\)$")  # a button has words alone
JOB = re.compile(r"[\w ]+, \w{3} \d{1,2} \w{3}(?: \d{4})?, \d\d:\d\d:\d\d|\w{3} \d{1,2} \w{3}(?: \d{4})?, \d\d:\d\d · ")
TITLE = re.compile(r"^\w{3} \d{1,2} \w{3} \d{4}, \d\d:\d\d:\d\d JST · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")
# History says in a sentence from when to when a visit was moved; what people type is in form fields.
SENTENCES = ("ol", "script", "style", "option", "textarea", "label")


class Times(HTMLParser):
    """Collects the `<time>` elements, and texts outside of them."""

    def __init__(self, html: str):
        super().__init__()
        self.inside: list[str] = []
        self.times: list[dict] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in (*SENTENCES, "time"):
            self.inside.append(tag)
        if tag == "time":
            self.times.append(dict(attrs))

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.texts.append(data)


@pytest.fixture
def pages(ours) -> dict[str, str]:
    now = timezone.now()
    ours.workspace.timezone = "Asia/Tokyo"
    ours.workspace.save()
    Heartbeat.objects.create(name="worker", at=now)
    SyncJob.objects.create(workspace=ours.workspace, integration="google_calendar", triggered_by="api", created_at=now)
    entry = audit("settings.changed", workspace_id=ours.workspace.pk, object_name="Ours")
    found = {**LISTS, **pages_of(ours), "audit": "/admin/workspace/auditentry/"}
    found["entry"] = f"/admin/workspace/auditentry/{entry.pk}/change/"
    return {name: at for name, at in found.items() if name not in ("csv", "visit history")}


@pytest.mark.slow
def test_each_time_is_in_the_companys_zone_with_utc_on_hover(desk, pages):
    browser, seen = desk(), 0
    for name, address in pages.items():
        found = Times(browser.get(address).content.decode())
        seen += len(found.times)
        for time in found.times:
            if len(time["datetime"]) == len("2026-11-30"):
                continue  # a day is the same in each zone
            assert TITLE.match(time["title"]), (name, time)
            moment = dt.datetime.fromisoformat(time["datetime"])
            assert f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" in time["title"]
        # In the calendar from when to when stands beneath its day.
        texts = [text for text in found.texts if not KEEP.match(text) and not name.startswith("calendar")]
        assert [text for text in texts if CLOCK.search(JOB.sub("", text))] == [], name
    assert seen > 30


def test_the_walker_finds_a_bare_time():
    found = Times("<p>at 14:05 <time title='x'>15:05</time></p>")
    assert [text for text in found.texts if CLOCK.search(text)] == ["at 14:05 "]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"), (59, "just now"), (60, "1 min ago"), (3_599, "59 min ago"), (3_600, "1 h ago"),
        (86_400, "1 d ago"), (-1, "in less than a minute"), (-60, "in 1 min"), (-7_200, "in 2 h"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds, words):
    assert ago(seconds) == words


def test_lengths_and_days():
    assert [span(dt.timedelta(seconds=n)) for n in (0, 40, 200, 7_300, 90_000)] == [
        "0 s",
        "40 s",
        "3 min",
        "2 h",
        "1 d",
    ]
    assert span(None) == "–"
    assert day(dt.date(2026, 11, 3)) == "3 Nov 2026"
