"""Many questions who is who, answered at once and taken back; by fixtures, and once with the books."""

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry, Client, Item, Member, Role, Workspace
from integrations.books.agreeing import Agreement, likely_pairs
from integrations.kinds import CUSTOMER, ITEM
from integrations.models import BooksSettings, Connection, ConnectionState, Link, Problem, Stream, SyncJob
from integrations.services.books.bulk import answers_to_take_back, same_for_all, take_back
from integrations.services.books.links import part
from integrations.services.decisions import AlreadyDecided
from tests.integrations.engine import finish
from tests.integrations.languages import another_language, english_in  # noqa: F401  (a fixture)


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def offline(workspace) -> Connection:
    """A company that is connected, and never asked."""
    connection = Connection.objects.create(
        workspace=workspace,
        integration="quickbooks",
        account_id="1",
        account_name="Books",
        state=ConnectionState.ACTIVE,
        connected_at=timezone.now(),
    )
    BooksSettings.objects.create(connection=connection)
    for kind in (CUSTOMER, ITEM):
        Stream.objects.create(connection=connection, kind=kind.name, container_id=kind.name)
    return connection


@pytest.fixture
def ask(workspace, offline):
    """Makes records, those of the books that they may be, and the questions: `pairs` are (ours, [theirs, …])."""

    def make(pairs: list, kind=CUSTOMER) -> None:
        stream, model = Stream.objects.get(kind=kind.name), Client if kind is CUSTOMER else Item
        first, now = Link.objects.count(), timezone.now()
        records = [model(workspace=workspace, **ours) for ours, _theirs in pairs]
        model.objects.bulk_create(records)
        links, problems, known = [], [], {}
        for record, (_ours, theirs) in zip(records, pairs, strict=True):
            names = []
            for seen in theirs:
                if id(seen) not in known:
                    known[id(seen)] = str(first + len(links) + 1)
                    links.append(Link(stream=stream, kind=kind.name, remote_id=known[id(seen)], seen=seen))
                names.append(known[id(seen)])
            problems.append(
                Problem(
                    workspace=workspace,
                    integration="quickbooks",
                    connection=offline,
                    code="RECORD_REJECTED",
                    record_kind=kind.name,
                    record_id=record.pk,
                    message="?",
                    data={"reason": "match", "candidates": names},
                    occurred_at=now,
                )
            )
        Link.objects.bulk_create(links)
        Problem.objects.bulk_create(problems)

    return make


def customer(name: str, email: str = "", **more) -> dict:
    return {"display_name": name, "email": email, **more}


def client(first: str, last: str = "Reed", email: str = "") -> dict:
    return {"first_name": first, "last_name": last, "email": email}


def many(number: int, start: int = 0) -> list:
    numbers = range(start, start + number)
    return [
        (client(f"Kim {n}", email=f"kim{n}@reed.test"), [customer(f"Reed, Kim {n}", f"Kim{n}@reed.test")])
        for n in numbers
    ]


def found(offline, kind=CUSTOMER) -> dict[str, tuple[str, str]]:
    return {str(pair.record): (pair.link.remote_id, pair.by) for pair in likely_pairs(offline, kind)}


def choices(offline, kind=CUSTOMER) -> dict[str, str]:
    return {pair.problem_id: pair.link.remote_id for pair in likely_pairs(offline, kind)}


def test_only_where_exactly_one_stands_out(ask, offline):
    shared, wanted = customer("Household", "home@reed.test"), customer("Max Poe", "max@poe.test")
    ask(
        [
            (client("Ann", email="ann@reed.test"), [customer("Reed, Ann", "x@y.test, ANN@reed.test")]),
            (client("Bob"), [customer("Bob Reed"), customer("Someone else", "bob@reed.test")]),
            (client("Cat", email="cat@reed.test"), [customer("Cat Reed", "other@reed.test")]),
            (client("Dan", email="dan@reed.test"), [customer("Danny", "dan@reed.test")]),
            (client("Eve", email="eve@reed.test"), [customer("Eve Reed", "eve@reed.test", active=False)]),
            (client("Fay"), [customer("Fay Reed"), customer("Fay Reed")]),  # which of the two?
            (client("Gus", email="home@reed.test"), [shared]),
            (client("Hal", email="home@reed.test"), [shared]),  # which of ours?
            (client("Ida"), [customer("Nobody like her")]),
            (client("Max", "Poe", "max@poe.test"), [wanted]),
            (client("Maxi", "Poe", "max@poe.test"), [wanted]),  # agrees in less
        ]
    )
    assert found(offline) == {
        "Ann Reed": ("1", Agreement.BOTH),
        "Bob Reed": ("2", Agreement.NAME),
        "Cat Reed": ("4", Agreement.NAME),
        "Dan Reed": ("5", Agreement.KEY),
        "Eve Reed": ("6", Agreement.INACTIVE),
        "Max Poe": ("11", Agreement.BOTH),
    }


def test_items_by_sku_and_name(ask, offline):
    ask(
        [
            ({"name": "Drain", "sku": "d-1", "price": 1}, [{"name": "drain", "sku": "D-1"}]),
            ({"name": "Valve", "price": 1}, [{"name": "Valve", "sku": "V"}]),
            ({"name": "Pump", "sku": "P", "price": 1}, [{"name": "Pump, big", "sku": "P"}]),
        ],
        ITEM,
    )
    assert found(offline, ITEM) == {
        "Drain": ("1", Agreement.BOTH),
        "Valve": ("2", Agreement.NAME),
        "Pump": ("3", Agreement.KEY),
    }
    assert not found(offline)


def test_one_answer_for_those_that_were_chosen(ask, offline, user):
    ask(many(4))
    chosen = choices(offline)
    left, changed, taken, *rest = chosen
    kept = {pk: name for pk, name in chosen.items() if pk != left}
    kept[changed] = "99"  # not what the page listed
    Link.objects.filter(remote_id=chosen[taken]).update(record_id="cli_other")
    answer = same_for_all(connection=offline, kind=CUSTOMER, chosen=kept, user=user)
    assert (answer.done, answer.left) == (1, 2)
    [pk] = rest
    link = Link.objects.get(remote_id=chosen[pk])
    assert link.record_id == Problem.objects.get(pk=pk).record_id
    assert (link.base, link.unsettled, link.decision) == (None, True, None)
    assert SyncJob.objects.get(pk=answer.job.pk).only == [link.pk]
    entry = AuditEntry.objects.get(action="connection.matches_decided")
    assert (entry.actor, entry.after["pairs"]) == ("bea", [[link.record_id, link.remote_id]])
    again = same_for_all(connection=offline, kind=CUSTOMER, chosen=kept, user=user)
    assert (again.done, again.left, again.job) == (0, 3, None)
    assert set(choices(offline)) == {left, changed}  # what has its answer is asked no more


def test_one_that_is_being_made_just_now_is_left(ask, offline, user):
    ask(many(2))
    one = Client.objects.first()
    Link.objects.create(
        stream=Stream.objects.get(kind="customer"),
        kind="customer",
        record_id=one.pk,
        remote_id="x",
        intent={"verb": "c"},
    )
    assert len(choices(offline)) == 1


def test_it_is_taken_back_but_for_what_was_decided_since(ask, offline, user):
    ask(many(4))
    same_for_all(connection=offline, kind=CUSTOMER, chosen=choices(offline), user=user)
    SyncJob.objects.update(status="succeeded", finished_at=timezone.now())
    Link.objects.update(unsettled=False)
    links = list(Link.objects.order_by("pk"))
    part(link=links[0], user=user)
    SyncJob.objects.update(status="succeeded", finished_at=timezone.now())
    Link.objects.filter(pk=links[1].pk).update(intent={"verb": "update"})
    [entry] = answers_to_take_back(offline)
    answer = take_back(connection=offline, entry_id=entry.pk, user=user)
    assert (answer.done, answer.left) == (2, 2)
    for link in links[2:]:
        own = Link.objects.get(record_id=link.record_id)
        assert (own.seen, own.decision) == (None, {"match": "ask", "candidates": [link.remote_id]})
        problem = Problem.objects.open().get(record_id=link.record_id)
        assert problem.data == {"reason": "match", "candidates": [link.remote_id]}
        assert Link.objects.get(remote_id=link.remote_id).record_id == ""
    assert not answers_to_take_back(offline)
    with pytest.raises(AlreadyDecided):
        take_back(connection=offline, entry_id=entry.pk, user=user)


def test_another_companys_answer_cannot_be_taken_back(ask, offline, user, second_workspace):
    ask(many(1))
    same_for_all(connection=offline, kind=CUSTOMER, chosen=choices(offline), user=user)
    [entry] = answers_to_take_back(offline)
    other = Connection.objects.create(workspace=second_workspace, integration="quickbooks", account_id="2")
    with pytest.raises(AlreadyDecided):
        take_back(connection=other, entry_id=entry.pk, user=user)


@pytest.mark.slow
def test_hundreds_take_hardly_more_statements_than_ten(ask, offline, user, desk):
    browser, address, counted = desk(), f"/admin/integrations/connections/{offline.pk}/same/", []

    def count(call) -> None:
        with CaptureQueriesContext(database) as queries:
            call()
        counted[-1].append(len(queries))
        SyncJob.objects.update(status="succeeded", finished_at=timezone.now())

    def post(path: str, **data) -> None:
        assert browser.post(path, data).status_code == 302

    for number, start in ((10, 0), (300, 10)):
        ask(many(number, start))
        counted.append([])
        count(lambda: browser.get(address))
        chosen = [f"{pk}:{name}" for pk, name in choices(offline).items()]
        assert len(chosen) == number
        count(lambda chosen=chosen: post(address, kind="customer", pair=chosen))
        assert Link.objects.exclude(record_id="").count() == number
        entry = answers_to_take_back(offline)[0]
        count(lambda entry=entry: post(f"{address}undo/", entry=entry.pk))
        assert Link.objects.unmatched().count() == number
        Problem.objects.all().delete()
        Link.objects.all().delete()
    few, hundreds = counted
    # SQLite takes some fifty rows a statement, and each answer is a row, an event and an entry of the audit.
    assert all(more <= less + 18 for less, more in zip(few, hundreds, strict=True)), counted


@pytest.mark.slow
def test_the_page_lists_both_sides_and_ticks_what_agrees_in_both(ask, offline, desk):
    ask(
        [
            (client("Ann", email="ann@reed.test"), [customer("Ann Reed", "ann@reed.test", phone="555 0100")]),
            (client("Cat", email="cat@reed.test"), [customer("Cat Reed", "other@reed.test")]),
        ]
    )
    browser, address = desk(), f"/admin/integrations/connections/{offline.pk}/same/"
    page = browser.get(address).content.decode()
    assert page.count('name="pair"') == 2 and page.count(" checked>") == 1
    assert page.index("They agree in e-mail and name") < page.index("They agree in the name")
    assert "555 0100" in page and "other@reed.test" in page
    assert browser.get(address, {"tick": "name"}).content.decode().count(" checked>") == 2
    nothing = browser.post(address, {"kind": "customer"})
    assert nothing.status_code == 400 and "Tick at least one pair." in nothing.content.decode()
    for wrong in ({"kind": "invoice"}, {"kind": "\x00"}):
        assert browser.post(address, wrong).status_code == 404
    assert browser.post(address, {"kind": "customer", "pair": ["x", "\x00:"]}).status_code == 400
    assert "left as it is" in browser.post(address, {"pair": "prb_x:1"}, follow=True).content.decode()
    answer = browser.post(address, {"pair": [f"{pk}:{name}" for pk, name in choices(offline).items()]}, follow=True)
    said = answer.content.decode()
    assert "2 are the same now. Sync started." in said and "Take back" in said
    assert browser.post(f"{address}undo/", {"entry": "x"}).status_code == 404
    SyncJob.objects.update(status="succeeded", finished_at=timezone.now())
    [entry] = answers_to_take_back(offline)
    again = browser.post(f"{address}undo/", {"entry": entry.pk}, follow=True).content.decode()
    assert "2 are questions again." in again and "Take back" not in again


@pytest.mark.slow
def test_one_of_many_leads_to_the_page(ask, offline, desk):
    address, browser = f"/admin/integrations/connections/{offline.pk}/same/?kind=customer", desk()
    ask(many(1))
    problem = Problem.objects.get()
    page = f"/admin/integrations/problem/{problem.pk}/change/"
    assert address not in browser.get(page).content.decode()
    ask(many(1, 1))
    assert address in browser.get(page).content.decode()
    assert browser.get(address).status_code == 200


@pytest.mark.slow
def test_no_english_is_left_in_another_language(ask, offline, desk, another_language):  # noqa: F811
    ask(
        [
            ({"first_name": "Ω", "email": "ω"}, [customer("Ω", "ω", phone="1")]),
            ({"first_name": "Ψ", "email": "ψ"}, [customer("Ψ", "φ")]),
            ({"first_name": "Φ"}, [customer("Φ", active=False)]),
        ]
    )
    Connection.objects.update(account_name="Ω")
    Workspace.objects.update(name="Ω")
    Client.objects.update(stage="Ω")
    browser, address = desk(), f"/admin/integrations/connections/{offline.pk}/same/"
    User.objects.update(username="ω")
    Member.objects.update(first_name="Ω")
    ann, other = Client.objects.order_by("pk")[:2]
    merge = f"/admin/workspace/client/{ann.pk}/merge/"
    for page in (address, f"{address}?kind=item", merge, f"{merge}?into={other.pk}"):
        assert english_in(browser.get(page).content.decode()) == set(), page
    chosen = [f"{pk}:{name}" for pk, name in choices(offline).items()]
    for posted in ({"kind": "customer"}, {"pair": chosen}):
        assert english_in(browser.post(address, posted, follow=True).content.decode()) == set(), posted


@pytest.mark.slow
def test_roles(ask, offline, desk, second_workspace):
    ask(many(1))
    address = f"/admin/integrations/connections/{offline.pk}/same/"
    staff, viewer = desk(Role.STAFF), desk(Role.VIEWER)
    assert staff.get(address).status_code == 200
    assert staff.post(f"{address}undo/", {"entry": 1}).status_code == 403
    assert viewer.get(address).status_code == viewer.post(address).status_code == 403
    Connection.objects.update(workspace=second_workspace)
    assert staff.get(address).status_code == 404


@pytest.mark.slow
def test_with_the_books_inactive_ones_and_back(company, books, sync, make_client, user):
    """Two clients whose customers are inactive there: linked together, and asked about again."""
    for name in ("Kim Reed", "Ann Lee"):
        first, last = name.split()
        made = books.add("Customer", DisplayName=name, PrimaryEmailAddr={"Address": f"{first}@example.test"})
        books.edit("Customer", made["Id"], Active=False)
        make_client(first_name=first, last_name=last, email=f"{first}@example.test")
    sync()
    assert {by for _name, by in found(company).values()} == {Agreement.INACTIVE}
    answer = same_for_all(connection=company, kind=CUSTOMER, chosen=choices(company), user=user)
    assert answer.done == 2
    assert finish(answer.job).failed == 0
    assert not Problem.objects.listed().exists() and len(books.all("Customer")) == 2
    sync()
    [entry] = answers_to_take_back(company)
    finish(take_back(connection=company, entry_id=entry.pk, user=user).job)
    assert Problem.objects.listed().count() == 2
    sync("full")
    assert Problem.objects.listed().count() == len(books.all("Customer")) == 2
