"""`/visits/batch` and `/clients/batch`: many in one call, each as a call of its own, or all of them or none."""

import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from fieldcamp.api import idempotency
from fieldcamp.api.models import ApiKey, IdempotencyRecord, RateWindow
from fieldcamp.workspace import services
from fieldcamp.workspace.models import Change, Client, Visit, Workspace
from tests.conftest import api_client
from tests.fieldcamp.webhooks.processes import environ

BASE = "/api/v1/clients/batch"
VISITS = "/api/v1/visits/batch"


def creates(*names: str) -> list[dict]:
    return [{"op": "create", "data": {"firstName": name}} for name in names]


def send(caller, items: list[dict], path: str = BASE, key: str | None = None, **more):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return caller.post(path, {"items": items, **more}, **headers)


def statuses(response) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["status"] for row in response.json()["data"]]


def error_of(response, status: int, code: str) -> dict:
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.content
    return response.json()["error"]


@pytest.mark.django_db
class TestItems:
    def test_each_is_done_as_a_call_of_its_own_would(self, api, make_client, make_visit, make_technician):
        tech, client = make_technician(), make_client()
        start = "2030-05-30T13:00:00Z"
        other = make_visit(client=client, technician=tech, title="Other")
        gone = make_visit(client=client)
        new = {"clientId": client.pk, "title": "New", "technicianId": tech.pk, "scheduledStart": start}
        answer = send(
            api,
            [
                {"op": "create", "data": new},
                {"op": "update", "id": other.pk, "data": {"scheduledStart": start}},
                {"op": "delete", "id": gone.pk},
                {"op": "create", "data": {"title": 5}},
                {"op": "update", "id": "vis_none", "data": {"title": "x"}},
                {"op": "create", "data": {"clientId": "cli_none", "title": "x"}},
            ],
            VISITS,
        )
        assert statuses(answer) == [201, 200, 200, 400, 404, 400]
        rows = answer.json()["data"]
        assert [row["index"] for row in rows] == [*range(6)]
        assert rows[0]["warnings"] == [] and rows[1]["warnings"][0]["visitId"] == rows[0]["data"]["id"]
        read = api.get(f"/api/v1/visits/{rows[0]['data']['id']}")
        assert (read.json()["data"], read["ETag"]) == (rows[0]["data"], rows[0]["etag"])
        assert rows[2]["data"] == {"id": gone.pk, "deleted": True}
        single = api.post("/api/v1/visits", {"title": 5}).json()["error"]
        assert rows[3]["error"] == single and single["param"] == "clientId"
        assert rows[4]["error"]["code"] == "NOT_FOUND" and rows[5]["error"]["details"].keys() == {"clientId"}
        assert {*Change.objects.filter(record_id=rows[0]["data"]["id"]).values_list("actor")} == {("API key test",)}

    def test_an_etag_goes_with_its_item(self, api, make_client):
        one, other = make_client(), make_client()
        tag = api.get(f"/api/v1/clients/{one.pk}")["ETag"]
        items = [
            {"op": "update", "id": one.pk, "ifMatch": tag, "data": {"lastName": "Lee"}},
            {"op": "delete", "id": other.pk, "ifMatch": tag},
        ]
        assert statuses(send(api, items)) == [200, 412]
        now = api.get(f"/api/v1/clients/{one.pk}")["ETag"]
        bare = {"op": "update", "id": one.pk, "data": {"lastName": "Li"}, "ifMatch": now.strip('"')}
        assert statuses(send(api, [bare])) == [200]
        assert statuses(send(api, [bare | {"ifMatch": f"W/{now}"}])) == [412]
        assert statuses(send(api, [{"op": "delete", "id": other.pk, "ifMatch": "*"}])) == [200]

    def test_what_is_read_is_taken_back(self, api, make_client):
        client = make_client(email="no address")
        data = api.get(f"/api/v1/clients/{client.pk}").json()["data"]
        answer = send(api, [{"op": "update", "id": client.pk, "data": data | {"stage": "won"}}])
        assert answer.json()["data"][0]["data"]["stage"] == "won"

    def test_a_merged_client_says_where_it_has_gone(self, api, make_client, workspace):
        one, into = make_client(), make_client()
        api.post(f"/api/v1/clients/{one.pk}/merge", {"into": into.pk})
        [row] = send(api, [{"op": "update", "id": one.pk, "data": {"stage": "x"}}]).json()["data"]
        assert row["error"]["details"] == {"merged_into": into.pk}

    def test_nobody_reaches_another_company(self, api, api_key, second_workspace, make_client):
        theirs = make_client(workspace=second_workspace)
        items = [{"op": "update", "id": theirs.pk, "data": {"stage": "x"}}, {"op": "delete", "id": "cli_none"}]
        assert statuses(send(api, items)) == [404, 404]
        assert statuses(send(api, [{"op": "delete", "id": theirs.pk}])) == [404]
        visit = {"op": "create", "data": {"clientId": theirs.pk, "title": "x"}}
        assert statuses(send(api, [visit], VISITS)) == [400]
        assert error_of(send(api, [visit], VISITS, atomic=True), 422, "BATCH_REJECTED")["details"]["failed"] == 1
        reader = api_client(api_key(scopes=["clients:read"]))
        error_of(send(reader, creates("x")), 403, "INSUFFICIENT_SCOPE")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "items"),
            ({"items": []}, "items"),
            ({"items": creates(*"x" * 101)}, "items"),
            ({"items": {}}, "items"),
            ({"items": ["x"]}, "items.0"),
            ({"items": [None]}, "items.0"),
            ({"items": [{}]}, "items.0.op"),
            ({"items": [*creates("x"), {"op": "upsert"}]}, "items.1.op"),
            ({"items": [{"op": "create"}]}, "items.0.data"),
            ({"items": [{"op": "create", "data": []}]}, "items.0.data"),
            ({"items": [{"op": "create", "data": None}]}, "items.0.data"),
            ({"items": [{"op": "create", "id": "x", "data": {}}]}, "items.0.id"),
            ({"items": [{"op": "create", "ifMatch": "x", "data": {}}]}, "items.0.ifMatch"),
            ({"items": [{"op": "update", "data": {}}]}, "items.0.id"),
            ({"items": [{"op": "delete", "id": "x", "data": {}}]}, "items.0.data"),
            ({"items": [{"op": "delete", "id": "x", "more": 1}]}, "items.0.more"),
            ({"items": [{"op": "delete", "id": "x"}, {"op": "update", "id": "x", "data": {}}]}, "items.1.id"),
            ({"items": creates("x"), "atomic": "yes"}, "atomic"),
            ({"items": creates("x"), "dryRun": True}, "dryRun"),
        ],
    )  # fmt: skip
    def test_a_batch_that_cannot_be_read_does_nothing(self, api, body, field):
        error = error_of(api.post(BASE, body, HTTP_IDEMPOTENCY_KEY="k"), 400, "VALIDATION_ERROR")
        assert field in error["details"], error["details"]
        assert not Client.objects.exists() and not IdempotencyRecord.objects.exists()

    def test_other_methods_are_none_here(self, api):
        for method in (api.get, api.put, api.patch, api.delete):
            assert method(BASE).status_code == 405

    @pytest.mark.slow
    def test_hostile_items_are_answered_shortly(self, api):
        items = [{"op": "create", "data": {f"{number}{'x' * 90}": "y" for number in range(90)}} for _ in range(100)]
        answer = send(api, items)
        assert {*statuses(answer)} == {400} and len(answer.content) < 200_000
        refused = send(api, items, atomic=True)
        assert refused.status_code == 422 and len(refused.content) < 50_000

    @pytest.mark.slow
    def test_a_hundred_are_made_quickly(self, api, make_client, make_technician):
        client, tech = make_client(), make_technician()
        start = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
        items = [
            {
                "op": "create",
                "data": {
                    "clientId": client.pk, "technicianId": tech.pk, "title": f"Visit {number}",
                    "scheduledStart": (start + dt.timedelta(hours=2 * number)).isoformat(),
                },
            }
            for number in range(100)
        ]  # fmt: skip
        began = time.process_time()
        assert statuses(send(api, items, VISITS, key="k")) == [201] * 100
        assert time.process_time() - began < 4  # a second where nothing else runs


@pytest.mark.django_db
class TestAtomic:
    def test_all_of_them(self, api, make_client):
        client = make_client()
        items = [*creates("Ada"), {"op": "update", "id": client.pk, "data": {"stage": "won"}}]
        first, again = (send(api, items, atomic=True, key="k") for _ in range(2))
        assert statuses(first) == [201, 200] and first.content == again.content
        assert again["Idempotent-Replayed"] == "true" and Client.objects.count() == 2

    def test_or_none(self, api, make_client):
        client = make_client(stage="lead")
        before = Change.objects.count()
        items = [
            *creates("Ada", ""),
            {"op": "update", "id": client.pk, "data": {"stage": "won"}},
            {"op": "delete", "id": "cli_none"},
        ]
        for _ in range(2):  # what failed is not kept
            error = error_of(send(api, items, atomic=True, key="k"), 422, "BATCH_REJECTED")
            assert error["details"]["failed"] == 2
            found = [(row["index"], row["status"], row["error"]["code"]) for row in error["details"]["items"]]
            assert found == [(1, 400, "VALIDATION_ERROR"), (3, 404, "NOT_FOUND")]
        client.refresh_from_db()
        assert client.stage == "lead" and Client.objects.count() == 1 and Change.objects.count() == before
        assert not IdempotencyRecord.objects.exists()
        assert statuses(send(api, items[:1], atomic=True)) == [201]


@pytest.mark.django_db
class TestQuota:
    @pytest.fixture(autouse=True)
    def clock(self):
        with time_machine.travel(dt.datetime(2026, 11, 22, 8, 0, 10, tzinfo=dt.UTC), tick=False):
            yield

    def test_a_batch_draws_as_many_calls_as_it_has_items(self, api_key, workspace):
        caller = api_client(api_key(rate_limit_override=None))
        first = send(caller, creates(*"abcdefgh"), key="k")
        assert statuses(first) == [201] * 8 and first["X-RateLimit-Remaining"] == "92"
        again = send(caller, creates(*"abcdefgh"), key="k")  # a repeat is one call
        assert again.content == first.content and again["X-RateLimit-Remaining"] == "91"
        assert {*RateWindow.objects.values_list("used", flat=True)} == {9}

    @pytest.mark.slow
    def test_one_that_has_too_few_left_does_nothing(self, api_key, workspace):
        caller = api_client(api_key(rate_limit_override=None))
        for atomic in (False, True):
            RateWindow.objects.filter(id__startswith="key_").update(used=60)
            caller.get("/api/v1/team")
            RateWindow.objects.filter(id__startswith="key_").update(used=60)
            refused = send(caller, creates(*["x"] * 50), atomic=atomic, key="k")
            assert "39 of its 100 calls left" in error_of(refused, 429, "RATE_LIMITED")["message"]
            assert (refused["Retry-After"], refused["X-RateLimit-Remaining"]) == ("50", "39")
            assert not Client.objects.exists() and not IdempotencyRecord.objects.exists()
        assert statuses(send(caller, creates(*["x"] * 38))) == [201] * 38

    def test_one_that_never_fits_says_so(self, api_key):
        caller = api_client(api_key(rate_limit_override=5))
        error = error_of(send(caller, creates(*"abcdef")), 400, "VALIDATION_ERROR")
        assert "at most 5" in error["details"]["items"][0]
        assert statuses(send(caller, creates(*"abcd"))) == [201] * 4


@pytest.mark.django_db
class TestOnce:
    def test_a_repeat_is_answered_byte_for_byte(self, api):
        items = [*creates("Ada", ""), {"op": "delete", "id": "cli_none"}]
        first, again = (send(api, items, key="k") for _ in range(2))
        assert statuses(first) == [201, 400, 404] and first.content == again.content
        assert Client.objects.count() == 1
        error_of(send(api, items[:1], key="k"), 422, "IDEMPOTENCY_KEY_REUSED")
        error_of(send(api, items, VISITS, key="k"), 422, "IDEMPOTENCY_KEY_REUSED")
        assert api.post("/api/v1/clients", {"firstName": "x"}, HTTP_IDEMPOTENCY_KEY="k").status_code == 422

    def test_what_broke_off_is_finished_by_a_repeat(self, api, monkeypatch):
        """And what could not be done for a while is tried again; a day later the key is nobody's."""
        create, made = services.create_client, []

        def dying(**values):
            if len(made) == 2:
                raise KeyboardInterrupt
            made.append(create(**values))
            return made[-1]

        items = creates("a", "b", "c", "d")
        monkeypatch.setattr("fieldcamp.workspace.rest.batch.ClientBatchView.create", staticmethod(dying))
        with pytest.raises(KeyboardInterrupt):
            send(api, items, key="k")
        assert Client.objects.count() == 2
        error_of(send(api, creates("a"), key="k"), 422, "IDEMPOTENCY_KEY_REUSED")
        monkeypatch.setattr("fieldcamp.workspace.rest.batch.ClientBatchView.create", staticmethod(lambda **_: 1 / 0))
        assert statuses(send(api, items, key="k")) == [201, 201, 500, 500]
        monkeypatch.undo()
        answer = send(api, items, key="k")
        assert statuses(answer) == [201] * 4 and "Idempotent-Replayed" not in answer
        assert [row["data"]["id"] for row in answer.json()["data"][:2]] == [client.pk for client in made]
        assert send(api, items, key="k").content == answer.content and Client.objects.count() == 4
        later = timezone.now() + dt.timedelta(hours=25)
        with time_machine.travel(later):
            assert statuses(send(api, creates("e"), key="k")) == [201]
            assert idempotency.prune(timezone.now()) > 3

    def test_an_erased_person_is_not_brought_back(self, api, monkeypatch):
        from fieldcamp.workspace.erasing import Words

        items = creates("Ada", "Bo")
        head = send(api, items, key="k").json()["data"]
        IdempotencyRecord.objects.filter(key="k").update(status=0, body=b"")  # as if it had broken off
        idempotency.forget_answers(Workspace.objects.get().pk, {head[0]["data"]["id"]}, Words([]))
        assert statuses(send(api, items, key="k")) == [404, 201] and Client.objects.count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_at_once_with_one_key_do_each_item_once(self, api_key, in_parallel, workspace):
        secret = api_key()
        answers = in_parallel(4, lambda _: send(api_client(secret), creates(*"abcdefghij"), key="k"))
        assert {answer.status_code for answer in answers} <= {200, 409}
        done = [answer for answer in answers if answer.status_code == 200 and {*statuses(answer)} == {201}]
        assert done and len({tuple(row["data"]["id"] for row in answer.json()["data"]) for answer in done}) == 1
        assert Client.objects.count() == 10

    def test_atomic_ones_of_the_same_records_do_not_wait_for_each_other(
        self, api_key, in_parallel, make_client, make_visit, workspace
    ):
        secret, client = api_key(), make_client()
        visits = [make_visit(client=client).pk for _ in range(6)]

        def run(number: int):
            order = visits if number % 2 else visits[::-1]
            items = [{"op": "update", "id": pk, "data": {"notes": f"by {number}"}} for pk in order]
            return statuses(send(api_client(secret), items, VISITS, atomic=True))

        assert in_parallel(4, run) == [[200] * 6] * 4
        assert Visit.objects.values("notes").distinct().count() == 1

    def test_a_process_that_is_killed_midway_loses_and_doubles_nothing(self, workspace, api_key, tmp_path):
        secret = api_key()
        env = environ(tmp_path) | {"BATCH_KEY": secret}
        killed = subprocess.run(
            [sys.executable, "-m", "tests.fieldcamp.workspace.dying_batch", "3"], env=env, check=False, cwd=Path.cwd()
        )
        assert killed.returncode == -signal.SIGKILL and Client.objects.count() == 3
        before = {*Client.objects.values_list("pk", flat=True)}
        answer = send(api_client(secret), creates(*"abcdefgh"), key="k")
        assert statuses(answer) == [201] * 8 and Client.objects.count() == 8
        assert {row["data"]["id"] for row in answer.json()["data"]} > before
        assert ApiKey.objects.count() == 1
