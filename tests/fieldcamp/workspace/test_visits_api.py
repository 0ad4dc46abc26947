"""`/visits`: the contract's rules, seen from outside."""

import pytest

from fieldcamp.workspace import telling, tracking
from fieldcamp.workspace.models import Change, Visit
from tests.conftest import api_client
from tests.fieldcamp.workspace.answers import data, details

pytestmark = pytest.mark.django_db

STATUSES = ("unscheduled", "scheduled", "in_transit", "arrived", "in_progress", "paused", "completed", "cancelled")
START, END = "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z"
FIELDS = [
    "id", "clientId", "technicianId", "jobId", "title", "notes", "address", "scheduledStart", "scheduledEnd",
    "timezone", "visitStatus", "createdAt", "updatedAt",
]  # fmt: skip


class TestCreate:
    def test_everything(self, api, client, make_technician):
        technician = make_technician()
        body = {
            "clientId": client.pk,
            "technicianId": technician.pk,
            "jobId": "ACME-17",
            "title": "Boiler",
            "notes": "Ring twice\nGate code 12",
            "address": "1 Main St",
            "scheduledStart": "2026-11-22T10:00:00+01:00",
            "scheduledEnd": "2026-11-22T11:30:00.000Z",
            "timezone": "Europe/Berlin",
            "visitStatus": "in_transit",
        }
        response = api.post("/api/v1/visits", body)
        visit = data(response, 201)
        assert list(visit) == FIELDS
        expected = body | {"scheduledStart": START, "scheduledEnd": "2026-11-22T11:30:00Z"}
        assert {name: visit[name] for name in body} == expected
        assert visit["id"].startswith("vis_") and visit["createdAt"] == visit["updatedAt"]
        assert response["Location"] == f"http://127.0.0.1:8000/api/v1/visits/{visit['id']}"
        got = api.get(response["Location"])
        assert data(got) == visit and got["ETag"] == response["ETag"]

    def test_the_least(self, create, workspace):
        visit = create()
        assert visit["visitStatus"] == "unscheduled" and visit["timezone"] == workspace.timezone
        absent = ("technicianId", "jobId", "notes", "address", "scheduledStart", "scheduledEnd")
        assert {visit[name] for name in absent} == {None}

    def test_null_is_as_good_as_left_out(self, create):
        names = ("technicianId", "jobId", "notes", "address", "scheduledStart", "scheduledEnd", "timezone")
        assert create(**dict.fromkeys(names))["visitStatus"] == "unscheduled"

    def test_a_start_alone_lasts_an_hour_and_is_scheduled(self, create):
        visit = create(scheduledStart=START)
        assert (visit["scheduledEnd"], visit["visitStatus"]) == (END, "scheduled")

    @pytest.mark.parametrize("status", STATUSES)
    def test_each_status(self, create, status):
        times = {} if status == "unscheduled" else {"scheduledStart": START}
        assert create(visitStatus=status, **times)["visitStatus"] == status

    def test_it_is_signed_with_the_key(self, create):
        create()
        assert Change.objects.filter(kind="visit").values_list("actor", "origin").get() == ("API key test", "")

    def test_an_idempotency_key_makes_one_visit(self, api, client):
        body = {"clientId": client.pk, "title": "Boiler"}
        first, second = (api.post("/api/v1/visits", body, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2))
        assert first.content == second.content and second["Idempotent-Replayed"] == "true"
        assert second["ETag"] == first["ETag"]
        assert Visit.objects.count() == 1

    def test_the_number_of_queries(
        self, api, client, make_technician, django_assert_num_queries, monkeypatch, call_queries
    ):
        monkeypatch.setattr(tracking, "_consumers", [])
        monkeypatch.setattr(telling, "_consumers", [])
        body = {"clientId": client.pk, "technicianId": make_technician().pk, "title": "x", "scheduledStart": START}
        api.post("/api/v1/visits", body)
        # Key, quota (begin, count, end); begin, client (locked), technician; savepoint, visit, change, release; end.
        # Then what it overlaps: blocked times, visits.
        with django_assert_num_queries(call_queries + 10):
            data(api.post("/api/v1/visits", body), 201)


class TestChange:
    def test_a_moved_start_takes_the_end_along(self, create, patch):
        visit = create(scheduledStart=START, scheduledEnd="2026-11-22T12:00:00Z")
        moved = data(patch(visit, {"scheduledStart": "2026-11-23T09:00:00Z"}))
        assert moved["scheduledEnd"] == "2026-11-23T12:00:00Z"
        assert moved["updatedAt"] > visit["updatedAt"] and moved["createdAt"] == visit["createdAt"]

    def test_removing_the_time_unschedules(self, create, patch):
        visit = create(scheduledStart=START)
        gone = data(patch(visit, {"scheduledStart": None}))
        assert (gone["scheduledStart"], gone["scheduledEnd"], gone["visitStatus"]) == (None, None, "unscheduled")
        assert data(patch(visit, {"scheduledStart": START}))["visitStatus"] == "scheduled"

    def test_a_patch_leaves_the_rest_alone(self, create, patch, make_technician):
        visit = create(technicianId=make_technician().pk, notes="n", scheduledStart=START, jobId="J")
        changed = data(patch(visit, {"title": "y"}))
        assert changed == visit | {"title": "y", "updatedAt": changed["updatedAt"]}

    def test_a_patch_that_changes_nothing(self, create, patch):
        visit = create(scheduledStart=START)
        assert data(patch(visit, {})) == data(patch(visit, {"title": visit["title"]})) == visit
        assert Change.objects.filter(kind="visit").count() == 1

    def test_put_replaces_and_keeps_the_status(self, api, create, client, make_technician):
        visit = create(
            technicianId=make_technician().pk, notes="n", scheduledStart=START, visitStatus="paused", jobId="J"
        )
        body = {"clientId": client.pk, "title": "y", "scheduledStart": START}
        after = data(api.put(f"/api/v1/visits/{visit['id']}", body))
        assert (after["technicianId"], after["notes"], after["jobId"], after["visitStatus"]) == (
            None,
            None,
            None,
            "paused",
        )
        assert set(details(api.put(f"/api/v1/visits/{visit['id']}", {}))) == {"clientId", "title"}

    @pytest.mark.slow
    @pytest.mark.parametrize("old", [status for status in STATUSES if status not in ("completed", "cancelled")])
    @pytest.mark.parametrize("new", STATUSES)
    def test_moves_that_are_allowed(self, create, patch, old, new):
        visit = create(visitStatus=old, **({} if old == "unscheduled" else {"scheduledStart": START}))
        times = {"scheduledStart": START} if (old, new) == ("unscheduled", "scheduled") else {}
        assert data(patch(visit, {"visitStatus": new} | times))["visitStatus"] == new

    @pytest.mark.parametrize("over", ["completed", "cancelled"])
    @pytest.mark.parametrize(
        "move",
        [
            {"scheduledStart": "2026-11-22T11:00:00Z"},
            {"scheduledEnd": "2026-11-22T11:00:00Z"},
            {"scheduledStart": None},
            {"technicianId": None},
            *({"visitStatus": status} for status in STATUSES),
        ],
    )
    @pytest.mark.slow
    def test_what_is_over_is_not_moved(self, create, patch, make_technician, over, move):
        visit = create(scheduledStart=START, visitStatus=over, technicianId=make_technician().pk)
        if move == {"visitStatus": over}:
            assert data(patch(visit, move)) == visit
            return
        response = patch(visit, move)
        assert details(response, 409, "INVALID_TRANSITION") == {}
        assert over in response.json()["error"]["message"]

    @pytest.mark.parametrize("over", ["completed", "cancelled"])
    def test_what_is_over_may_still_be_described(self, create, patch, over):
        visit = create(scheduledStart=START, visitStatus=over)
        assert data(patch(visit, {"notes": "Paid in cash", "scheduledStart": START}))["notes"] == "Paid in cash"

    def test_delete_hides(self, api, create):
        visit = create()
        path = f"/api/v1/visits/{visit['id']}"
        assert data(api.delete(path)) == {"id": visit["id"], "deleted": True}
        for response in (
            api.get(path),
            api.patch(path, {}),
            api.put(path, {"clientId": "x", "title": "x"}),
            api.delete(path),
        ):
            details(response, 404, "NOT_FOUND")
        assert data(api.get("/api/v1/visits")) == []
        assert Change.objects.filter(kind="visit").order_by("seq").values_list("action", flat=True).last() == "deleted"

    def test_signed_with_the_key(self, create, patch):
        patch(create(), {"title": "y"})
        assert Change.objects.order_by("seq").last().actor == "API key test"


class TestEtag:
    def test_not_modified(self, api, create, patch):
        visit = create()
        path = f"/api/v1/visits/{visit['id']}"
        etag = api.get(path)["ETag"]
        for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            response = api.get(path, HTTP_IF_NONE_MATCH=header)
            assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
            assert "X-RateLimit-Limit" in response
        for header in ('"x"', "garbage", "", '"'):
            assert api.get(path, HTTP_IF_NONE_MATCH=header).status_code == 200
        for body in ({"title": "y"}, {"jobId": "untracked"}):
            before, response = api.get(path)["ETag"], patch(visit, body)
            assert response["ETag"] == api.get(path)["ETag"] != before

    def test_if_match(self, api, create, patch):
        visit = create()
        path = f"/api/v1/visits/{visit['id']}"
        old = api.get(path)["ETag"]
        new = patch(visit, {"title": "y"}, HTTP_IF_MATCH=old)["ETag"]
        for header in (old, f"W/{new}", '"x"', "garbage"):
            for write in (api.patch, api.put, api.delete):
                response = write(path, {"title": "z", "clientId": visit["clientId"]}, HTTP_IF_MATCH=header)
                details(response, 412, "PRECONDITION_FAILED")
                assert response["ETag"] == new
        assert data(api.get(path))["title"] == "y"
        assert patch(visit, {"title": "z"}, HTTP_IF_MATCH="*").status_code == 200
        assert api.delete(path, HTTP_IF_MATCH=api.get(path)["ETag"]).status_code == 200


def test_another_workspace_sees_nothing(api_key, create, second_workspace):
    visit = create()
    other = api_client(api_key(workspace=second_workspace))
    path = f"/api/v1/visits/{visit['id']}"
    assert data(other.get("/api/v1/visits")) == []
    for response in (other.get(path), other.patch(path, {"title": "x"}), other.delete(path)):
        details(response, 404, "NOT_FOUND")
    assert Visit.objects.get().version == 1


@pytest.mark.parametrize("visit_id", ["vis_nope", "x" * 500, "%00", "%ff", "..", "é", "vis_%0a", "'"])
def test_ids_that_are_none(api, visit_id):
    details(api.get(f"/api/v1/visits/{visit_id}"), 404, "NOT_FOUND")


class TestList:
    def ids(self, api, **query) -> set[str]:
        return {visit["title"] for visit in data(api.get("/api/v1/visits", query))}

    def test_filters(self, api, create, make_technician, make_client):
        person, client = make_technician(), make_client()
        create(title="a")
        create(title="b", technicianId=person.pk, scheduledStart=START)
        create(title="c", clientId=client.pk, scheduledStart=END, visitStatus="completed")
        assert self.ids(api) == {"a", "b", "c"}
        assert self.ids(api, visitStatus="scheduled") == {"b"}
        assert self.ids(api, visitStatus=["unscheduled", "completed"]) == {"a", "c"}
        assert self.ids(api, technicianId=person.pk) == {"b"}
        assert self.ids(api, clientId=client.pk) == {"c"}
        assert self.ids(api, clientId=client.pk, visitStatus="scheduled") == set()
        assert self.ids(api, scheduledFrom=START) == {"b", "c"}
        assert self.ids(api, scheduledFrom=START, scheduledTo=END) == {"b"}
        assert self.ids(api, technicianId="mem_nope") == set()

    @pytest.mark.parametrize("name", ["visitStatus", "since", "scheduledFrom", "scheduledTo"])
    def test_bad_filters(self, api, name):
        assert list(details(api.get("/api/v1/visits", {name: "nonsense"}))) == [name]

    def test_rows_are_as_single_resources_are(self, api, create):
        visit = create(scheduledStart=START)
        assert data(api.get("/api/v1/visits")) == [visit]

    def test_constant_number_of_queries(self, api, create, django_assert_num_queries, call_queries):
        for _ in range(3):
            create()
        api.get("/api/v1/visits")
        # How far the list is numbered, and the page.
        with django_assert_num_queries(call_queries + 2):
            api.get("/api/v1/visits?limit=1")
        with django_assert_num_queries(call_queries + 2):
            api.get("/api/v1/visits")


@pytest.mark.django_db(transaction=True)
def test_patches_at_once_lose_nothing(api_key, create, in_parallel):
    visit, secret = create(scheduledStart=START), api_key()
    bodies = [{"title": "t"}, {"notes": "n"}, {"address": "a"}, {"jobId": "j"}, {"visitStatus": "paused"}]
    codes = in_parallel(5, lambda n: api_client(secret).patch(f"/api/v1/visits/{visit['id']}", bodies[n]).status_code)
    assert codes == [200] * 5
    after = data(api_client(secret).get(f"/api/v1/visits/{visit['id']}"))
    assert {name: after[name] for body in bodies for name in body} == {k: v for body in bodies for k, v in body.items()}


@pytest.mark.django_db(transaction=True)
def test_of_two_patches_with_one_etag_one_wins(api, api_key, create, in_parallel):
    visit, secret = create(), api_key()
    path = f"/api/v1/visits/{visit['id']}"
    etag = api.get(path)["ETag"]
    codes = in_parallel(6, lambda n: api_client(secret).patch(path, {"title": f"t{n}"}, HTTP_IF_MATCH=etag).status_code)
    assert sorted(codes) == [200] + [412] * 5
