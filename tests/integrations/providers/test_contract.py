"""What `ProviderClient` promises, kept by every provider: the same cases for each.

What is a vendor's own (its bodies, its errors, its batches) is tested beside it. A provider that passes these can be
trusted by the engine, whose tests run on the one in memory.
"""

import pytest

from integrations import errors
from integrations.providers import PROVIDERS
from tests.integrations.engine import PEOPLE
from tests.integrations.providers.contract import LEGS, Account, account_of, at, pages_of

# Some look at the tag first, which a removal moves as well; the engine looks again for either.
GONE = (errors.Gone, errors.Stale)
calendars = pytest.mark.parametrize("account", PEOPLE, ids=lambda leg: leg.vendor, indirect=True)


def pytest_generate_tests(metafunc):
    marked = [mark for mark in metafunc.definition.iter_markers("parametrize") if "account" in mark.args[0]]
    if "account" in metafunc.fixturenames and not marked:
        metafunc.parametrize("account", LEGS, ids=lambda leg: leg.vendor, indirect=True)


@pytest.fixture
def account(request) -> Account:
    return account_of(request.param, request.getfixturevalue(request.param.world))


def test_every_provider_is_held_to_it(memory_vendor):
    assert {leg.integration for leg in LEGS} == set(PROVIDERS)
    assert {leg.integration for leg in PEOPLE} == {name for name in PROVIDERS if "visit" in PROVIDERS[name].kinds}


def test_containers_come_with_the_main_one_first(account):
    found = account.client().containers()
    assert [one.primary for one in found] == [True] + [False] * (len(found) - 1)
    assert found[0].writable and found[0].id == account.container
    assert len({one.id for one in found}) == len(found)


def test_an_id_is_made_from_its_seed_alone(account):
    make_id = account.provider.make_id
    assert make_id("a") == make_id("a") != make_id("b")


# --- writing, and reading one by one ----------------------------------------------------------------------------------


def test_what_is_created_is_read_and_listed_under_one_id(account):
    _, cursor = account.listed()
    operation = account.create()
    [result] = account.write(operation)
    assert (result.key, result.error) == (operation.key, None)
    record = result.record
    assert {name: record.fields[name] for name in operation.fields} == dict(operation.fields)
    assert operation.remote_id in (record.id, record.made_with)
    for seen in (account.look(record.id), account.listed(cursor)[0][record.id], account.listed()[0][record.id]):
        assert (seen.id, seen.tag, seen.gone) == (record.id, record.tag, False)
        assert {name: seen.fields[name] for name in operation.fields} == dict(operation.fields)


@calendars
def test_what_is_created_is_known_as_ours_and_what_people_make_is_not(account):
    record, private = account.made(), account.owner_adds(2)
    assert record.ours and record.marker.record_id == "rec_1"
    assert account.look(record.id).ours
    assert not account.look(private).ours
    copy = account.person.copy(next(event for event in account.person.events() if event.id == record.id), at(5))
    assert not account.look(copy.id).ours


@pytest.mark.slow
def test_an_update_changes_what_it_names_and_keeps_the_id(account):
    record = account.made()
    [result] = account.write(account.update(record))
    assert result.error is None and result.record.id == record.id
    assert result.record.tag != record.tag
    assert result.record.fields == {**record.fields, **account.edit}
    assert account.look(record.id).fields == result.record.fields


def test_a_tag_of_yesterday_overwrites_nothing(account):
    record = account.made()
    account.owner_edits(record.id)
    before = account.look(record.id)
    assert before.tag != record.tag
    [result] = account.write(account.update(record))
    assert isinstance(result.error, errors.Stale) and result.record is None
    assert account.look(record.id) == before
    [result] = account.write(account.update(before))
    assert result.error is None


@calendars
def test_what_is_gone_is_a_tombstone_and_takes_no_update(account):
    record, never = account.made(), account.provider.make_id("never sent")
    account.owner_removes(record.id)
    found = account.get(record.id, never)
    assert set(found) == {record.id, never}
    assert found[record.id].gone and found[never].gone
    [result] = account.write(account.update(record))
    assert isinstance(result.error, GONE)
    assert account.look(record.id).gone


@calendars
def test_deleting_is_done_however_often_it_is_asked_for(account):
    record = account.made()
    for _ in range(2):
        [result] = account.write(account.delete(record.id))
        assert result.error is None and result.record.gone
    assert account.look(record.id).gone
    [result] = account.write(account.delete(account.provider.make_id("never sent")))
    assert result.error is None and result.record.gone


@calendars
def test_deleting_what_has_changed_since_is_stale(account):
    record = account.made()
    account.owner_edits(record.id)
    [result] = account.write(account.delete(record.id, tag=record.tag))
    assert isinstance(result.error, errors.Stale)
    assert not account.look(record.id).gone


def test_one_create_sent_twice_makes_one_record(account):
    before, _ = account.listed()
    first = account.made()
    [again] = account.write(account.create())
    assert again.record.id == first.id if again.error is None else isinstance(again.error, errors.Duplicate)
    after, _ = account.listed()
    assert set(after) - set(before) == {first.id}


def test_a_create_in_anothers_place_makes_nothing(account):
    first = account.made()
    before, _ = account.listed()
    other = {"title": "Other"} if account.kind == "visit" else {"email": "other@example.com"}
    [result] = account.write(account.create(**other))
    assert isinstance(result.error, account.taken) and result.record is None
    assert set(account.listed()[0]) == set(before)
    assert account.look(first.id).fields == first.fields


@calendars
def test_each_outcome_is_its_operations_own(account):
    stale, fine, gone = (account.made(number) for number in (1, 2, 3))
    account.owner_edits(stale.id)
    account.owner_removes(gone.id)
    results = account.write(
        account.update(stale, "stale"),
        account.create(4),
        account.update(fine, "fine"),
        account.update(gone, "gone"),
        account.create(5, **account.wrong),
        account.delete(gone.id, "gone already"),
    )
    expected = {
        "stale": errors.Stale,
        "c4": type(None),
        "fine": type(None),
        "gone": GONE,
        "c5": errors.Rejected,
        "gone already": type(None),
    }
    assert [result.key for result in results] == list(expected)
    assert [result.key for result in results if not isinstance(result.error, expected[result.key])] == []


def test_what_is_refused_for_itself_leaves_the_others_alone(account):
    results = account.write(account.create(1), account.create(2, **account.wrong), account.create(3))
    assert [result.key for result in results] == ["c1", "c2", "c3"]
    assert [type(result.error) for result in results] == [type(None), errors.Rejected, type(None)]


def test_as_many_writes_as_are_declared_are_taken_at_once_and_no_more(account):
    size = account.provider.batch_size
    assert all(result.record for result in account.write(*(account.create(number) for number in range(1, size + 1))))
    with pytest.raises(ValueError, match=str(size)):
        account.write(*(account.create(number) for number in range(size + 1)))


def test_nothing_to_do_is_no_call(account):
    account.vendors.forget_requests()
    assert account.write() == []
    assert account.get() == {}
    assert account.vendors.requests() == []


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_a_create_whose_answer_was_lost_is_found_by_what_it_was_sent_with(account):
    done, never = account.create(1), account.create(2)
    account.vendors.fault("drop_after_commit", path=account.batch_path, times=9)
    with pytest.raises(errors.Unavailable):
        account.write(done)
    account.vendors.heal()
    found = account.get(
        done.remote_id, never.remote_id, sent={done.remote_id: done.fields, never.remote_id: never.fields}
    )
    record = found[done.remote_id]
    assert not record.gone and done.remote_id in (record.id, record.made_with)
    assert record.id in account.listed()[0]
    assert found[never.remote_id].gone
    [again] = account.write(done)
    assert again.record.id == record.id if again.error is None else isinstance(again.error, errors.Duplicate)


def test_a_write_that_did_not_arrive_was_not_done(account):
    before, _ = account.listed()
    operation = account.create()
    account.vendors.fault("drop", path=account.batch_path, times=9)
    with pytest.raises(errors.Unavailable):
        account.write(operation)
    account.vendors.heal()
    sent = {operation.remote_id: operation.fields}
    assert account.get(operation.remote_id, sent=sent)[operation.remote_id].gone
    assert set(account.listed()[0]) == set(before)
    [result] = account.write(operation)
    assert result.error is None


@calendars
@pytest.mark.parametrize(("status", "error"), [(429, errors.RateLimited), (503, errors.Unavailable)])
def test_trouble_with_one_write_is_that_ones_alone(account, status, error):
    account.vendors.fault("status", path=account.person.creates, method="POST", status=status)
    first, second = account.write(account.create(1), account.create(2))
    assert type(first.error) is error
    assert second.record.ours
    assert account.get(account.create(1).remote_id)[account.create(1).remote_id].gone


@calendars
def test_a_reading_that_fails_is_no_reading(account):
    account.vendors.fault("status", status=503, times=20)
    with pytest.raises(errors.Unavailable):
        account.listed()
    with pytest.raises(errors.Unavailable):
        account.look(account.provider.make_id("any"))


# --- listings ---------------------------------------------------------------------------------------------------------


def test_a_change_is_told_from_the_cursor_before_it_on(account):
    _, before = account.listed()
    added = account.owner_adds(1)
    told, after = account.listed(before)
    assert added in told
    account.owner_edits(added)
    again, last = account.listed(after)
    assert again[added].tag == account.look(added).tag != told[added].tag
    if account.exact:
        assert set(told) == set(again) == {added}
        assert account.listed(last)[0] == {}
    assert added in account.listed(before)[0]  # whoever broke off before the cursor was kept asks from there again


@calendars
def test_a_removal_is_told_once(account):
    added, kept = account.owner_adds(1), account.owner_adds(2)
    listed, before = account.listed()
    assert {added, kept} <= set(listed)
    account.owner_removes(added)
    told, after = account.listed(before)
    assert set(told) == {added} and told[added].gone
    assert account.listed(after)[0] == {}
    assert added not in {id for id, record in account.listed()[0].items() if not record.gone}


@calendars
def test_what_was_over_before_the_window_is_not_listed_at_first(account):
    old = account.person.add("Long ago", at(-40)).id
    recent = account.person.add("Lately", at(-20)).id
    assert set(account.listed()[0]) == {recent}
    assert old not in account.listed()[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["first", "next"])
def test_a_listing_goes_on_behind_any_page(account, monkeypatch, kind):
    _, cursor = account.listed()
    expected = {account.owner_adds(number) for number in range(1, 8)}
    if kind == "first" or account.exact:  # changes of books come in one answer
        account.small_pages(monkeypatch)
    start = cursor if kind == "next" else ""
    pages = list(pages_of(account, start))
    assert len(pages) >= 4 or not account.exact
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    for done in range(1, len(pages)):
        seen = {record.id for page in pages[:done] for record in page.records}
        rest = list(pages_of(account, pages[done - 1].cursor))
        assert rest[-1].last
        assert expected <= seen | {record.id for page in rest for record in page.records}
        assert len(rest) == len(pages) - done


def test_what_is_added_while_pages_are_read_is_told_at_the_end_or_by_the_next_listing(account, monkeypatch):
    there = [account.owner_adds(number) for number in range(1, 6)]
    account.small_pages(monkeypatch)
    seen, cursor, late = {}, "", ""
    for page in pages_of(account, ""):
        seen |= {record.id: record for record in page.records}
        if not late:
            late = account.owner_adds(9)
            if account.kind == "visit":
                account.owner_removes(there[0])
        cursor = page.cursor
    told = seen | account.listed(cursor)[0]
    assert {*there[1:], late} <= told.keys()
    assert there[0] not in told or told[there[0]].gone == (account.kind == "visit")


@pytest.mark.slow
@pytest.mark.parametrize("cursor", ["nonsense", "[]", "{}", '{"evil": "y"}', '{"since": 7}'])
def test_a_cursor_that_cannot_be_read_has_expired(account, cursor):
    with pytest.raises(errors.CursorExpired):
        account.listed(cursor)


def test_a_cursor_that_is_forgotten_over_there_has_expired(account):
    _, cursor = account.listed()
    if account.old_cursor:
        cursor = account.old_cursor
    else:
        account.vendors.fault("expire_cursor")
    with pytest.raises(errors.CursorExpired):
        account.listed(cursor)
    assert account.listed()[1]  # from the beginning it can always be read


def test_a_container_that_is_not_there_is_no_empty_one(account):
    """Else everything in it would be taken for removed."""
    account.container = "nobody@group.calendar.google.com"
    with pytest.raises((errors.ContainerGone, errors.Rejected)):
        account.listed()
