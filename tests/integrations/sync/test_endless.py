"""Lists of a vendor's that do not end: the account is told, nothing of the loop is kept, and the others are synced."""

import json
from itertools import count
from urllib.parse import urlencode

import pytest

from integrations import errors
from integrations.jobs import runner
from integrations.models import Problem, Stream, SyncJob
from integrations.records import Page
from integrations.services.connections import list_containers, set_up
from integrations.services.observe import observe_pending
from integrations.services.preview import preview_first_sync
from integrations.transport import patience
from tests.integrations.identifiers import cursor_of
from tests.integrations.sync.memory import LISTING, MemoryClient
from tests.integrations.sync.on_order import Call

pytestmark = [pytest.mark.django_db, pytest.mark.engine(daily="sandbox")]


@pytest.fixture
def sandboxed(google, outlook):
    """For tests of the vendors whose pages have links."""


def started_from(stream: Stream) -> dict[str, str]:
    """Where the next run begins, but for the number of rows that it asks for in a page."""
    return {name: value for name, value in json.loads(cursor_of(stream)).items() if name != "size"}


@pytest.mark.slow
def test_a_page_that_is_repeated_for_ever_ends_its_account(sandboxed, dana, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 3)
    sync()
    before = started_from(Stream.objects.get())
    person.rename(person.ours()[visits[0].pk].id, "Renamed there")
    vendors.forget_requests()
    vendors.fault("repeat_page", path=person.listing, times=10**6)
    job = sync()
    assert job.status == "failed" and len(vendors.requests(person.api)) < 50
    [told] = job.errors
    assert told["code"] == "PROVIDER_UNAVAILABLE" and told["connection_id"] == dana.pk
    assert "does not come to an end" in told["message"] and dana.account_name in told["message"]
    assert started_from(Stream.objects.get()) == before
    if person.vendor == "microsoft":  # where the fault is known to hang on the size of a page
        assert json.loads(cursor_of(Stream.objects.get()))["size"] == "200"
    vendors.heal()
    job = sync()  # the 409 is free
    assert "size" not in json.loads(cursor_of(Stream.objects.get()))
    assert (job.status, job.errors) == ("succeeded", [])
    assert not person.ours()[visits[0].pk].title.startswith("Renamed there")
    vendors.fault("repeat_page", path=person.listing, times=2)
    assert sync().status == "succeeded"  # a page that is told twice is no loop


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_nor_is_it_taken_for_the_end_of_a_large_list(
    sandboxed, dana, person, vendors, sync, make_visits, monkeypatch, mode
):
    visits = make_visits(dana.member, 7)
    sync()
    person.small_pages(monkeypatch)
    if mode == "incremental":
        Stream.objects.update(cursor="")
    vendors.fault("repeat_page", path=person.listing, times=10**6, after=2)
    assert sync(mode=mode).status == "failed"
    stream = Stream.objects.get()
    assert not {"page", "next"} & json.loads(cursor_of(stream, "full_cursor")).keys()
    vendors.heal()
    job = sync(mode=mode)
    assert (job.status, job.pushed) == ("succeeded", 0)
    assert len(person.ours()) == len(visits)


@pytest.fixture
def led_on(vendors, monkeypatch):
    """From now on each list of calendars says that there is more, in a way that is given; what leads there is not
    looked at by the vendor."""
    real = vendors.adapter.send

    def without_tokens(request, **kwargs):
        request.url = request.url.partition("?")[0]
        return real(request, **kwargs)

    def arm(shape: str):
        numbers = count()

        def wrapper(path, send):
            response = send()
            if "alendar" not in path:
                return response
            number = next(numbers)
            body = json.loads(response.content)
            rows = "items" if "items" in body else "value"
            left = {"empty": 0, "shrinks": len(body[rows]) - number}.get(shape, len(body[rows]))
            token = "same" if shape == "itself" else f"t{number}"
            link = f"{response.url}?{urlencode({'n': token})}"
            more = {"nextPageToken": token} if rows == "items" else {"@odata.nextLink": link}
            response._content = json.dumps({rows: body[rows][: max(0, left)], **more}).encode()
            return response

        monkeypatch.setattr(vendors.adapter, "send", without_tokens)
        vendors.around(wrapper)

    return arm


@pytest.mark.parametrize("shape", ["itself", *(pytest.param(s, marks=pytest.mark.slow) for s in ("empty", "shrinks"))])
def test_a_person_is_not_kept_waiting_by_a_list_of_calendars(sandboxed, dana, person, vendors, led_on, shape):
    vendors.forget_requests()
    led_on(shape)
    with pytest.raises(errors.Endless):
        list_containers(dana)
    assert len(vendors.requests(person.api)) < 25


@pytest.mark.slow
def test_nor_by_the_preview_or_the_feed(sandboxed, dana, person, vendors, sync, workspace, clock):
    sync()
    before = started_from(Stream.objects.get())
    vendors.fault("repeat_page", path=person.listing, times=10**6)
    vendors.forget_requests()
    assert not preview_first_sync(dana).complete
    clock.move(60)
    observe_pending(workspace, person.integration)
    assert len(vendors.requests(person.api)) < 30
    assert started_from(Stream.objects.get()) == before


def test_and_by_a_slow_vendor_for_some_seconds(google, dana, person, vendors, clock):
    clock.follow(vendors.adapter)
    vendors.fault("delay", seconds=11, times=99)
    begun = clock.now
    with patience.within(patience.PAGE_SECONDS), pytest.raises(errors.Unavailable):
        list_containers(dana)
    assert (clock.now - begun).total_seconds() < 5


@pytest.fixture
def loops(memory, monkeypatch):
    """The listings of these calendars, or of this account, tell their first page for ever."""
    real = MemoryClient.changes
    those: set[str] = set()

    def changes(self, container_id, cursor, window):
        first = next(real(self, container_id, cursor, window))
        if not those & {container_id, self.account_id}:
            yield first
            return
        for number in count():
            self.vendor.answer(self.account_id, Call("GET", LISTING), lambda: None, 1)
            yield Page(first.records, f"{number}", last=False, restart=cursor)

    monkeypatch.setattr(MemoryClient, "changes", changes)
    return those


@pytest.mark.slow
def test_the_other_accounts_and_calendars_are_synced(loops, dana, connect, person, vendors, sync, make_visits):
    lee = connect("lee")
    set_up(connection=dana, member=dana.member, target_container_id=person.main,
           busy_container_ids=[person.main, "family", "holidays"])  # fmt: skip
    sync()
    loops.add("family")
    make_visits(dana.member, 1)
    make_visits(lee.member, 1)
    job = sync()
    assert (job.status, job.pushed) == ("partial", 2)
    [told] = job.errors
    assert "Family" in told["message"] and "does not come to an end" in told["message"]
    loops.add(dana.account_id)
    make_visits(lee.member, 1, title="Later")
    vendors.forget_requests()
    assert (job := sync()).pushed == 1 and job.status == "partial"
    assert len(vendors.requests()) < 50  # where two lists do not end, the account's others are not tried
    loops.clear()
    assert (sync().status, Problem.objects.open().count()) == ("succeeded", 0)


@pytest.mark.slow
def test_a_slice_that_leads_nowhere_is_an_attempt(memory, dana, sync, make_visits, monkeypatch):
    """Whatever it is that keeps a run from getting on: five slices, and the next sync may begin."""
    make_visits(dana.member, 3)

    def for_ever(*_args):
        raise runner.SliceOver

    with monkeypatch.context() as patch:
        patch.setattr(runner.SyncSlice, "_streams", for_ever)
        job = sync()
    assert job.status == "failed" and job.attempts == 5
    assert "no further" in job.errors[0]["message"]
    assert not SyncJob.objects.in_flight().exists()
    assert sync().pushed == 3


@pytest.mark.slow
def test_an_answer_that_goes_on_for_ever_is_one_that_was_lost(sandboxed, dana, person, connect, vendors, sync):
    connect("lee")
    sync()
    vendors.fault("endless", path=person.listing, account=person.account, times=10**6)
    job = sync()
    assert job.status == "partial"
    [told] = job.errors
    assert told["code"] == "PROVIDER_UNAVAILABLE" and told["connection_id"] == dana.pk
    assert len(vendors.requests(person.api)) < 50
    vendors.heal()
    assert sync().status == "succeeded"
