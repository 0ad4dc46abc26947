"""A reader who follows the change feed while twenty writers are busy: no gap, no repeat."""

import threading

import pytest
from django.db import connection as database
from django.db import transaction

from integrations.ledger.feed import append_to_feed
from integrations.models import ChangeRow, Link, Stream
from integrations.records import RemoteRecord
from tests.integrations import build
from tests.integrations.api.conftest import caller_of

WRITERS, EACH = 20, 5

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_no_gap_and_no_repeat_while_twenty_write(no_provider):
    workspace = build.workspace()
    stream = Stream.objects.create(connection=build.connection(workspace), container_id="main", is_target=True)
    caller = caller_of(workspace)
    first = caller.get("/google-calendar/sync").json()
    start, failures = threading.Barrier(WRITERS + 1), []

    def write(number: int) -> None:
        try:
            start.wait(30)
            for turn in range(EACH):
                link = Link(stream=stream, kind="visit", remote_id=f"event-{number}-{turn}")
                record = RemoteRecord(id=link.remote_id, tag="1", kind="visit")
                with transaction.atomic():
                    append_to_feed(stream, [("created", link, record)])
        except Exception as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    start.wait(30)
    seen, cursor = [], first["resume_cursor"]
    while True:
        over = not any(thread.is_alive() for thread in threads)
        page = caller.get(f"/google-calendar/sync?limit=7&cursor={cursor}").json()
        seen += [change["google_event_id"] for change in page["changes"]]
        cursor = page["next_cursor"] or page["resume_cursor"]
        if over and not page["next_cursor"]:
            break
    for thread in threads:
        thread.join()
    assert not failures
    assert len(seen) == len(set(seen)) == WRITERS * EACH == ChangeRow.objects.count()
