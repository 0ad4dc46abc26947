"""What vendors post, and what strangers post in their names."""

import datetime as dt
import json
import threading

import pytest
from django.db import connection as database
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from integrations.models import PushChannel, PushMark, ReceivedPush, Stream
from integrations.push.floods import FailedPosts
from integrations.push.secrets import digest_of, new_agreement
from tests.integrations import build

OUTLOOK = "outlook_calendar"
RESOURCE = "5tQ-hRd11vSoCaUPkuibThYg2kE"


def channel(of, integration: str = build.GOOGLE, **fields) -> tuple[PushChannel, str]:
    """A channel that is live, of a new account; with its secret."""
    stream = Stream.objects.create(connection=build.connection(of, integration=integration), container_id="main")
    channel_id, secret = new_agreement()
    defaults = {"state": "live", "resource_id": RESOURCE, "opened_at": timezone.now()}
    row = PushChannel.objects.create(
        stream=stream, integration=integration, channel_id=channel_id, secret_digest=digest_of(secret),
        **(defaults | fields),
    )  # fmt: skip
    return row, secret


def google(row: PushChannel, secret: str, *, state: str = "exists", number: int = 4, **changed: str):
    headers = {
        "X-Goog-Channel-ID": row.channel_id,
        "X-Goog-Channel-Token": secret,
        "X-Goog-Resource-ID": RESOURCE,
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(number),
    } | changed
    return Client(enforce_csrf_checks=True).generic(
        "POST", "/push/google", b"", headers={name: value for name, value in headers.items() if value is not None}
    )


def item(row: PushChannel, secret: str, **changed) -> dict:
    return {"subscriptionId": row.resource_id or RESOURCE, "clientState": secret, "changeType": "updated"} | changed


def graph(*items, content_type: str = "application/json"):
    body = json.dumps({"value": list(items)}).encode()
    return Client(enforce_csrf_checks=True).generic("POST", "/push/microsoft", body, content_type)


def due() -> set[str]:
    return set(PushMark.objects.exclude(due_at=None).values_list("stream_id", flat=True))


def test_a_message_of_google_makes_its_calendar_due_and_is_written_down_once(workspace):
    row, secret = channel(workspace)
    other, _ = channel(workspace)
    assert google(row, secret).status_code == 200
    assert google(row, secret).status_code == 200
    assert due() == {row.stream_id}
    pushed = ReceivedPush.objects.get()
    assert (pushed.stream_id, pushed.kinds, pushed.message_id) == (row.stream_id, "exists", f"{row.channel_id}:4")
    row.refresh_from_db()
    assert row.last_push_at is not None
    assert PushMark.objects.get().pushes == 1


def test_the_handshake_of_a_channel_is_no_change_and_may_come_before_the_answer(workspace):
    row, secret = channel(workspace, state="opening", resource_id="")
    assert google(row, secret, state="sync", number=1).status_code == 200
    row.refresh_from_db()
    assert (row.state, row.resource_id) == ("live", RESOURCE)
    assert due() == set()


WRONG = [
    {"X-Goog-Channel-Token": "wrong"},
    {"X-Goog-Channel-Token": ""},
    {"X-Goog-Channel-Token": None},
    {"X-Goog-Channel-ID": "01234567-89ab-cdef-0123-456789abcdef"},
    {"X-Goog-Channel-ID": "\x00' OR 1=1"},
    {"X-Goog-Channel-ID": None},
    {"X-Goog-Resource-ID": "another"},
    {"X-Goog-Resource-ID": None},
    {"X-Goog-Resource-State": "add"},
    {"X-Goog-Resource-State": None},
]


@pytest.mark.parametrize("changed", WRONG)
def test_what_proves_nothing_is_answered_as_what_does_and_changes_nothing(workspace, changed):
    row, secret = channel(workspace)
    good = google(row, secret)
    PushMark.objects.all().delete()
    ReceivedPush.objects.all().delete()
    bad = google(row, secret, **changed)
    assert (bad.status_code, bad.content, dict(bad.headers) | {"X-Request-Id": ""}) == (
        good.status_code, good.content, dict(good.headers) | {"X-Request-Id": ""},
    )  # fmt: skip
    assert not PushMark.objects.exists()
    assert not ReceivedPush.objects.exists()


def test_of_a_channel_that_was_stopped_nothing_is_heard_but_one_that_is_replaced_is(workspace):
    stopped, first = channel(workspace, state="stopped")
    retiring, second = channel(workspace, state="retiring")
    google(stopped, first)
    google(retiring, second)
    assert due() == {retiring.stream_id}


def test_each_item_of_a_batch_is_judged_alone_whoever_it_is_about(workspace, second_workspace):
    mine, my_secret = channel(workspace, OUTLOOK, resource_id="sub-1")
    theirs, their_secret = channel(second_workspace, OUTLOOK, resource_id="sub-2")
    forged, _ = channel(workspace, OUTLOOK, resource_id="sub-3")
    answer = graph(
        item(mine, my_secret),
        item(forged, my_secret),
        item(forged, f"{forged.channel_id}.guessed"),
        item(theirs, their_secret, subscriptionId="sub-1"),
        {"subscriptionId": "sub-3"},
        {"subscriptionId": "sub-3", "clientState": None},
        {"subscriptionId": ["sub-3"], "clientState": {"a": 1}, "lifecycleEvent": 7, "changeType": []},
        "no item", None, 7, [],
        item(theirs, their_secret),
    )  # fmt: skip
    assert answer.status_code == 202
    assert due() == {mine.stream_id, theirs.stream_id}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"value": 7}', b"\xff\xfe", b"[" * 100_000, b'{"value": ["\\ud800"]}']
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "multipart/form-data; boundary=x"])
def test_a_body_that_is_none_is_taken_and_does_nothing(db, body, content_type):
    answer = Client().generic("POST", "/push/microsoft", body, content_type)
    assert answer.status_code == 202


def test_a_secret_that_is_no_text_is_wrong(workspace):
    row, _ = channel(workspace, OUTLOOK)
    body = b'{"value": [{"subscriptionId": "%s", "clientState": "%s.\\ud800"}]}'
    assert Client().generic(
        "POST", "/push/microsoft", body % (RESOURCE.encode(), row.channel_id.encode()), "application/json"
    ).status_code == 202  # fmt: skip
    assert due() == set()


def test_any_content_type_is_taken(workspace):
    row, secret = channel(workspace, OUTLOOK)
    assert graph(item(row, secret), content_type="application/cloudevents+json; x").status_code == 202
    assert due() == {row.stream_id}


TOKENS = [
    "plain",
    "Validation: Testing client application reachability for subscription Request-Id: 5a-b+c/d==",
    "<script>alert('x')</script>",
    "ümlaut \u2028 \x01",
    "",
]


@pytest.mark.parametrize("path", ["/push/microsoft", "/push/microsoft/"])
@pytest.mark.parametrize("token", TOKENS)
def test_a_handshake_is_answered_byte_for_byte(path, token, settings):
    """Also behind the redirect to https, logged out, without a database."""
    settings.SECURE_SSL_REDIRECT = True
    answer = Client(enforce_csrf_checks=True).post(
        path, b"", content_type="text/plain; charset=utf-8", query_params={"validationToken": token}
    )
    assert (answer.status_code, answer.content) == (200, token.encode())
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    assert "Location" not in answer


def test_a_handshake_answers_bytes_that_are_no_text():
    answer = Client().generic("POST", "/push/microsoft", b"", QUERY_STRING="validationToken=a%FFb+c%00&x=1")
    assert answer.content == b"a\xffb c\x00"


def test_a_handshake_has_no_more_than_two_kilobytes():
    answer = Client().post("/push/microsoft", query_params={"validationToken": "x" * 2049})
    assert (answer.status_code, answer.content) == (400, b"")
    assert Client().post("/push/microsoft", query_params={"validationToken": "x" * 2048}).content == b"x" * 2048


@pytest.mark.parametrize("method", ["get", "put", "delete", "options", "head"])
def test_nothing_but_posts(method):
    assert getattr(Client(), method)("/push/google").status_code == 405


def test_addresses_that_nobody_has():
    assert [Client().post(f"/push/{name}").status_code for name in ("nobody", "Google", "a" * 33)] == [404, 404, 404]


def test_a_body_that_is_too_long_is_not_read(workspace):
    row, secret = channel(workspace, OUTLOOK)
    padded = item(row, secret, padding="x" * 2 * 1024 * 1024)
    assert graph(padded).status_code == 413
    assert due() == set()


@pytest.mark.parametrize("length", ["-1", "nonsense"])
def test_a_length_that_is_none(db, length):
    assert Client().generic("POST", "/push/microsoft", b"{}", CONTENT_LENGTH=length).status_code in (202, 400)


def test_failed_posts_are_limited_and_believed_ones_never(workspace, monkeypatch):
    monkeypatch.setattr("integrations.views.push.FAILED", FailedPosts(limit=3))
    row, secret = channel(workspace)
    assert [google(row, "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert google(row, secret).status_code == 200
    assert due() == {row.stream_id}


def test_one_address_that_fails_takes_nothing_from_another():
    posts = FailedPosts(limit=1)
    assert [posts.too_many(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1")] == [
        False, True, False, False,
    ]  # fmt: skip
    assert posts.too_many("2001:db8::2"), "one network is one caller"


def test_the_vendor_ends_a_subscription_or_wants_it_renewed_or_has_lost_notices(workspace):
    now = timezone.now()
    later = now + dt.timedelta(days=1)
    removed, first = channel(workspace, OUTLOOK, resource_id="sub-1", renew_at=later)
    ends, second = channel(workspace, OUTLOOK, resource_id="sub-2", renew_at=later)
    missed, third = channel(workspace, OUTLOOK, resource_id="sub-3", renew_at=later)
    graph(
        item(removed, first, lifecycleEvent="subscriptionRemoved"),
        item(ends, second, lifecycleEvent="reauthorizationRequired"),
        item(missed, third, lifecycleEvent="missed"),
    )
    for row in (removed, ends, missed):
        row.refresh_from_db()
    assert [row.state for row in (removed, ends, missed)] == ["lost", "live", "live"]
    assert removed.renew_at <= timezone.now() and ends.renew_at <= timezone.now()
    assert missed.renew_at == later
    assert due() == {removed.stream_id, missed.stream_id}


def test_a_renewal_that_is_under_way_is_not_asked_for_again(workspace):
    claimed = timezone.now() + dt.timedelta(minutes=9)
    row, secret = channel(workspace, OUTLOOK, renew_at=claimed)
    graph(item(row, secret, lifecycleEvent="reauthorizationRequired"))
    row.refresh_from_db()
    assert row.renew_at == claimed


def test_nothing_that_was_agreed_is_logged_or_kept(workspace, caplog, capsys):
    row, secret = channel(workspace)
    google(row, secret)
    google(row, f"{secret}x")
    seen = caplog.text + "".join(capsys.readouterr())
    assert secret not in seen
    for table in (PushChannel, ReceivedPush, PushMark):
        assert secret not in str(list(table.objects.values()))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_stored_in_time_comes_again():
    from fieldcamp.workspace.models import Workspace

    row, secret = channel(Workspace.objects.create(name="Dana's Plumbing"))
    PushMark.objects.create(stream_id=row.stream_id)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            PushMark.objects.select_for_update().get(pk=row.stream_id)
            held.set()
            done.wait(10)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    try:
        begun = timezone.now()
        answer = google(row, secret)
        took = (timezone.now() - begun).total_seconds()
        forged = google(row, "wrong")
    finally:
        done.set()
        holder.join()
    assert (answer.status_code, forged.status_code) == (503, 200), "what is forged waits for nobody"
    assert took < 1
    assert not ReceivedPush.objects.exists()
    assert google(row, secret).status_code == 200
    assert due() == {row.stream_id}
    if database.vendor == "sqlite":
        with database.cursor() as cursor:
            assert cursor.execute("PRAGMA busy_timeout").fetchone()[0] == 20_000, "as before"
