"""What a push leaves behind: a stream that is due, a count, a line of the log."""

import datetime as dt

import pytest

from integrations.models import Connection, PushMark, ReceivedPush, Stream
from integrations.push.marks import PushMessage, mark, mark_all
from tests.integrations import build
from tests.integrations.build import NOW

SECOND = dt.timedelta(seconds=1)


def stream(of: Connection, container: str = "primary") -> Stream:
    return Stream.objects.create(connection=of, container_id=container)


@pytest.fixture
def account(db):
    return build.connection(build.workspace())


def test_a_push_makes_its_stream_due_in_two_seconds(account):
    pushed = stream(account)
    other = stream(account, "other")
    mark([pushed.pk], NOW, kind="exists")
    row = PushMark.objects.get()
    assert (row.stream_id, row.due_at, row.pushed_at, row.pushes) == (pushed.pk, NOW + 2 * SECOND, NOW, 1)
    assert not PushMark.objects.filter(stream=other).exists()
    line = ReceivedPush.objects.get()
    assert (line.connection, line.stream, line.kinds, line.integration) == (account, pushed, "exists", build.GOOGLE)


def test_later_pushes_move_the_last_one_on_and_not_the_due_time(account):
    pushed = stream(account)
    for seconds in (0, 1, 5):
        mark([pushed.pk], NOW + seconds * SECOND, kind="exists", message_id=f"m{seconds}")
    row = PushMark.objects.get()
    assert (row.due_at, row.pushed_at, row.pushes) == (NOW + 2 * SECOND, NOW + 5 * SECOND, 3)


def test_a_push_that_is_late_takes_nothing_back(account):
    pushed = stream(account)
    mark([pushed.pk], NOW, kind="exists")
    mark([pushed.pk], NOW - 10 * SECOND, kind="exists")
    row = PushMark.objects.get()
    assert (row.due_at, row.pushed_at) == (NOW - 8 * SECOND, NOW)


def test_a_repeated_message_marks_again_and_is_counted_once(account):
    pushed = stream(account)
    mark([pushed.pk], NOW, kind="updated", message_id="m")
    PushMark.objects.update(due_at=None)
    mark([pushed.pk], NOW + SECOND, kind="updated", message_id="m")
    row = PushMark.objects.get()
    assert (row.pushes, row.due_at, ReceivedPush.objects.count()) == (1, NOW + 3 * SECOND, 1)


def test_messages_without_a_name_are_all_counted(account):
    pushed = stream(account)
    mark_all([PushMessage([pushed.pk], "updated"), PushMessage([pushed.pk], "updated")], NOW)
    assert ReceivedPush.objects.count() == 2


def test_each_account_of_a_message_has_its_line(account):
    elsewhere = build.connection(build.workspace("Another company"))
    streams = [stream(account), stream(account, "second"), stream(elsewhere)]
    mark([each.pk for each in streams], NOW, kind="qbo.invoice.updated.v1", message_id="e1")
    lines = {line.connection_id: line.stream_id for line in ReceivedPush.objects.all()}
    assert lines == {account.pk: None, elsewhere.pk: streams[2].pk}
    assert {row.pushes for row in PushMark.objects.all()} == {1} and PushMark.objects.count() == 3


def test_a_stream_that_is_gone_is_left_out(account):
    pushed = stream(account)
    mark([pushed.pk, "str_gone"], NOW, kind="exists")
    mark([], NOW, kind="exists")
    mark(["str_gone"], NOW, kind="exists")
    assert [row.stream_id for row in PushMark.objects.all()] == [pushed.pk]


def test_the_echo_of_our_own_write_waits(account):
    pushed = stream(account)
    PushMark.objects.create(stream=pushed, written_at=NOW, owed_by=NOW + 600 * SECOND)
    mark([pushed.pk], NOW + 3 * SECOND, kind="exists")
    row = PushMark.objects.get()
    assert (row.due_at, row.owed_by) == (NOW + 33 * SECOND, None)
    PushMark.objects.update(due_at=None)
    mark([pushed.pk], NOW + 11 * SECOND, kind="exists")
    assert PushMark.objects.get().due_at == NOW + 13 * SECOND


def test_a_push_ends_what_was_called_late(account):
    pushed = stream(account)
    PushMark.objects.create(stream=pushed, missed=3)
    mark([pushed.pk], NOW, kind="exists")
    assert PushMark.objects.get().missed == 0


def test_hostile_texts_are_cut_and_kept(account):
    pushed = stream(account)
    mark([pushed.pk], NOW, kind="k" * 5000 + "%s %(now)s", message_id="m" * 5000)
    mark([pushed.pk], NOW, kind="%s\0'; --", message_id="%(due)s")
    assert PushMark.objects.get().pushes == 2


@pytest.mark.django_db(transaction=True)
def test_many_receivers_at_once_lose_nothing_and_do_not_lock_each_other_out(in_parallel):
    account = build.connection(build.workspace())
    streams = [stream(account, f"c{number}").pk for number in range(8)]

    def receive(worker: int) -> None:
        for number in range(10):
            turned = streams[worker:] + streams[:worker]
            mark_all([PushMessage([pk], "updated", f"{worker}-{number}-{pk}") for pk in turned], NOW)

    in_parallel(6, receive)
    assert {row.pushes for row in PushMark.objects.all()} == {60}
    assert ReceivedPush.objects.count() == 480
