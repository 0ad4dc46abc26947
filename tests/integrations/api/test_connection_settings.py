"""Settings by API: what the desk takes is taken, what it refuses is refused, and nobody's change is lost."""

import pytest

from fieldcamp.workspace.models import AuditEntry
from integrations.models import BooksSettings, Connection, ConnectionState, SyncJob, WorkspaceIntegration
from integrations.services.books.setup import set_up_books
from integrations.transport.exchanges import collected
from tests.integrations import build
from tests.integrations.api.conftest import caller_of
from tests.integrations.connecting import *  # noqa: F403
from tests.integrations.connecting import DESIGN, MAIN, SERVICES, UNDEPOSITED

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(caller):
    """Changes an account's settings; the answer."""

    def change(connection: Connection, body: dict, **headers: str):
        return caller("PATCH", f"/connections/{connection.pk}/settings", body, **headers)

    return change


def refused(answer, status: int = 400) -> list[str]:
    assert answer.status_code == status, answer.content
    return [*answer.json()["error"]["details"]]


# --- calendars ------------------------------------------------------------------------------------------------------


def test_settings_of_a_calendar_are_read_and_changed_one_by_one(caller, change, active):
    place = f"/connections/{active.pk}"
    first = caller.get(f"{place}/settings")
    main = {"id": MAIN, "name": MAIN}
    assert first.json() == {
        "connection_id": active.pk,
        "integration": "google_calendar",
        "calendar": {
            "member_id": active.member_id,
            "target_calendar": main,
            "busy_calendars": [main],
            "direction": "bidirectional",
            "conflict_policy": "fieldcamp",
        },
        "books": None,
        "metered_reads_per_day": None,
    }
    assert caller.get(f"{place}/settings", If_None_Match=first["ETag"]).status_code == 304
    options = caller.get(f"{place}/options").json()
    family = next(each for each in options["calendars"] if each["name"] == "Family")
    assert (family["writable"], options["items"]) == (True, [])
    done = change(active, {"calendar": {"conflict_policy": "ask"}}, If_Match=first["ETag"])
    assert done.json()["calendar"] == first.json()["calendar"] | {"conflict_policy": "ask"}
    late = change(active, {"calendar": {"direction": "push"}}, If_Match=first["ETag"])
    assert (late.status_code, late.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    both = {"busy_calendar_ids": [MAIN, family["id"], MAIN], "direction": "push"}
    now = change(active, {"calendar": both}, If_Match=done["ETag"]).json()["calendar"]
    assert (now["direction"], now["conflict_policy"], len(now["busy_calendars"])) == ("push", "ask", 2)
    stream = active.streams.get(is_target=True)
    assert (stream.direction, stream.policy) == ("push", "ask")
    entry = AuditEntry.objects.filter(action="connection.set_up").order_by("-pk").first()
    assert (entry.actor[:14], entry.after["direction"]) == ("API key test (", "push")
    entries = AuditEntry.objects.count()
    for same in ({}, {"calendar": {}}, {"calendar": {"direction": "push"}}):  # and nobody asks the provider
        assert change(active, same).status_code == 200
    assert AuditEntry.objects.count() == entries


def test_what_cannot_be_taken_is_named_and_nothing_changed(change, active, second_workspace, make_member):
    foreign = make_member(workspace=second_workspace)
    for values, field in (
        ({"target_calendar_id": "nothing"}, "target_calendar_id"),
        ({"busy_calendar_ids": [MAIN, "nothing"]}, "busy_calendar_ids"),
        ({"member_id": foreign.pk}, "member_id"),
        ({"member_id": "mem_x"}, "member_id"),
    ):
        assert refused(change(active, {"calendar": {**values, "direction": "pull"}})) == [f"calendar.{field}"]
    for body in (
        {"calendar": {"direction": "sideways"}}, {"calendar": {"conflict_policy": "local"}}, {"calendar": []},
        {"calendar": {"busy_calendar_ids": MAIN}}, {"calendar": {"busy_calendar_ids": [1]}}, {"state": "active"},
        {"calendar": {"busy_calendar_ids": ["x"] * 201}}, {"calendar": {"target_calendar_id": None}}, ["calendar"],
        {"calendar": {"keep_busy_times": "no"}}, {"books": {"terms_id": "3"}}, {"metered_reads_per_day": 500},
    ):  # fmt: skip
        assert change(active, body).status_code == 400, body
    assert active.streams.get().direction == "two_way"


def test_what_needs_a_person_first_is_told_with_the_way_there(caller, change, active, vendors):
    vendors.fault("status", path="/users/me/calendarList", status=503, times=20)
    silent = change(active, {"calendar": {"direction": "push"}})
    assert (silent.status_code, silent["Retry-After"]) == (503, "60")
    assert caller.get(f"/connections/{active.pk}/options").status_code == 503
    for state in ("needs_reconnect", "needs_permission", "disconnected"):
        Connection.objects.update(state=state)
        for answer in (
            change(active, {"calendar": {"direction": "push"}}),
            caller.get(f"/connections/{active.pk}/options"),
        ):
            assert refused(answer, 422) == ["reason", "connect_url"]
            assert answer.json()["error"]["details"]["connect_url"].endswith(f"?connection={active.pk}")
    assert caller.get(f"/connections/{active.pk}/settings").status_code == 200
    assert active.streams.get().direction == "two_way"


def test_a_new_account_is_set_up_by_its_settings(caller, change, new, dana):
    one = new()
    missing = change(one, {"calendar": {"direction": "push"}})
    assert refused(missing) == ["calendar.member_id", "calendar.target_calendar_id"]
    done = change(one, {"calendar": {"member_id": dana.pk, "target_calendar_id": MAIN, "busy_calendar_ids": [MAIN]}})
    assert done.status_code == 200
    row = caller.get(f"/connections/{one.pk}").json()
    assert (row["state"], row["member_id"], row["connect_url"]) == ("active", dana.pk, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_changes_at_once_lose_nothing_and_one_etag_wins_once(caller, active, workspace, in_parallel):
    place = f"/connections/{active.pk}/settings"
    tag = caller.get(place)["ETag"]

    def patched(*bodies: dict, **headers: str) -> list[int]:
        def patch(number: int) -> int:
            return caller("PATCH", place, {"calendar": bodies[number]}, **headers).status_code

        return in_parallel(len(bodies), patch)

    tagged = patched(*[{"conflict_policy": policy} for policy in ("ask", "provider") * 2], If_Match=tag)
    assert sorted(tagged) == [200, 412, 412, 412]
    plain = patched({"direction": "push"}, {"busy_calendar_ids": []}, {"conflict_policy": "ask"}, {})
    assert plain == [200] * 4
    now = caller.get(place).json()["calendar"]
    assert (now["direction"], now["busy_calendars"], now["conflict_policy"]) == ("push", [], "ask")


# --- books ----------------------------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.slow
def test_books_are_set_up_and_changed_one_by_one(caller, change, grant):
    books = grant()
    assert refused(change(books, {"books": {"import_items": False}})) == ["books.income_account_id"]
    assert refused(change(books, {"books": {"income_account_id": SERVICES, "terms_id": "3"}})) == ["books.terms_id"]
    first = change(books, {"books": {"income_account_id": SERVICES, "invoices_from": "2026-01-31"}})
    assert first.json()["books"]["income_account"] == {"id": SERVICES, "name": "Services"}
    assert caller.get(f"/connections/{books.pk}").json()["state"] == "active"
    options = caller.get(f"/connections/{books.pk}/options").json()
    assert {"id": DESIGN, "name": "Design income"} in options["income_accounts"] and options["calendars"] == []
    [terms, *_] = options["terms"]
    changes = {"terms_id": terms["id"], "import_items": False, "conflict_policy_documents": "provider"}
    audited = AuditEntry.objects.filter(action__startswith="connection.", object_id=books.pk)
    known = set(audited.values_list("pk", flat=True))
    with collected() as calls:
        now = change(books, {"books": changes, "metered_reads_per_day": 500}, If_Match=first["ETag"]).json()
    assert {*audited.exclude(pk__in=known).values_list("action", flat=True)} == {
        "connection.set_up", "connection.metered_reads_changed",
    }  # fmt: skip
    set_up = audited.exclude(pk__in=known).get(action="connection.set_up")
    assert (set_up.before["terms_id"], set_up.after["terms_id"]) == ("", terms["id"])
    with collected() as fewer:
        assert change(books, {"books": {"import_items": True}}).status_code == 200
    assert change(books, {"books": {"import_items": False}}).status_code == 200
    assert len(calls) == len(fewer) + 1  # that about the terms
    assert now["books"] == first.json()["books"] | {
        "terms": terms, "import_items": False, "conflict_policy_documents": "provider",
    }  # fmt: skip
    assert now["metered_reads_per_day"] == 500
    none = change(books, {"books": {"terms_id": None, "invoices_from": None}, "metered_reads_per_day": None}).json()
    assert (none["books"]["terms"], none["books"]["invoices_from"], none["metered_reads_per_day"]) == (None, None, None)
    before = BooksSettings.objects.values().get()
    for values, field in (
        ({"income_account_id": UNDEPOSITED}, "income_account_id"),
        ({"income_account_id": None}, "income_account_id"),
        ({"default_item_id": "99999"}, "default_item_id"),
        ({"class_id": "99999", "import_items": True}, "class_id"),
    ):
        assert refused(change(books, {"books": values})) == [f"books.{field}"]
    for body in (
        {"books": {"invoices_from": "31.1.2026"}}, {"books": {"import_items": 1}}, {"metered_reads_per_day": 49},
        {"metered_reads_per_day": "500"}, {"metered_reads_per_day": 10**12}, {"calendar": {"direction": "push"}},
    ):  # fmt: skip
        assert change(books, body).status_code == 400, body
    assert BooksSettings.objects.values().get() == before


@pytest.mark.once
@pytest.mark.slow
def test_books_that_two_companies_write_into_are_confirmed(change, grant, second_workspace):
    set_up_books(connection=grant(workspace=second_workspace), income_account_id=SERVICES)
    mine = grant()
    assert refused(change(mine, {"books": {"income_account_id": SERVICES}})) == ["books.shared"]
    assert change(mine, {"books": {"income_account_id": SERVICES, "shared": True}}).status_code == 200


# --- integrations ---------------------------------------------------------------------------------------------------


def test_an_integration_is_synced_as_often_as_is_said(workspace, caller):
    place = "/quickbooks/settings"
    first = caller.get(place)
    assert first.json() == {"integration": "quickbooks", "interval_minutes": None, "sync_on_save": True}
    assert caller.get("/google-calendar/settings").json()["interval_minutes"] == 30
    assert not WorkspaceIntegration.objects.exists()
    done = caller("PATCH", place, {"interval_minutes": 15}, If_Match=first["ETag"])
    assert done.json() == {"integration": "quickbooks", "interval_minutes": 15, "sync_on_save": True}
    assert caller("PATCH", place, {"interval_minutes": 60}, If_Match=first["ETag"]).status_code == 412
    assert caller("PATCH", place, {"sync_on_save": False}).json()["interval_minutes"] == 15
    assert caller("PATCH", place, {"interval_minutes": None}).json() == first.json() | {"sync_on_save": False}
    assert caller("PATCH", place, {"interval_minutes": 0}).json()["interval_minutes"] == 0
    for wrong in (4, 1441, -1, "15", True, 1.5, 10**30):
        assert refused(caller("PATCH", place, {"interval_minutes": wrong})) == ["interval_minutes"], wrong
    assert refused(caller("PATCH", "/google-calendar/settings", {"interval_minutes": None})) == ["interval_minutes"]
    for wrong in ({"sync_on_save": None}, {"sync_on_save": "no"}, {"every": 5}, []):
        assert caller("PATCH", place, wrong).status_code == 400
    weak = caller_of(workspace, scopes=["integrations:write", "connections:read"])
    assert weak.get(place).status_code == 200
    assert weak("PATCH", place, {"sync_on_save": True}).status_code == 403
    actors = AuditEntry.objects.filter(action="integration.schedule_changed").values_list("actor", flat=True)
    assert len(actors) == 4 and all(actor.startswith("API key test (") for actor in actors)
    assert not SyncJob.objects.exists()


def test_settings_of_what_is_not_there_yet(workspace, caller):
    books = build.connection(workspace, ConnectionState.SETUP, integration="quickbooks", member=None)
    told = caller.get(f"/connections/{books.pk}/settings").json()
    assert told["calendar"] is None and told["books"]["income_account"] is None
