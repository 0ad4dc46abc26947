"""Idempotency-Key: one run, one answer, repeated byte for byte."""

import datetime as dt
import os
import threading

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from fieldcamp.api import idempotency
from fieldcamp.api.errors import ApiError
from fieldcamp.api.models import IdempotencyRecord
from fieldcamp.workspace.models import Change, Client
from tests.conftest import api_client
from tests.fieldcamp.api.urls import Once

pytestmark = [pytest.mark.urls("tests.fieldcamp.api.urls")]


def post(client, key: str | None, body: dict | None = None, path: str = "/api/v1/once", method: str = "post"):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return getattr(client, method)(path, body or {}, **headers)


def refuse(code: str):
    def refused():
        raise ApiError(code)

    return staticmethod(refused)


@pytest.mark.django_db
class TestOneCaller:
    def test_the_first_answer_is_repeated_byte_for_byte(self, api):
        first, second = post(api, "k1"), post(api, "k1")
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content and "é".encode() in first.content
        assert first["Location"] == second["Location"]
        assert "Idempotent-Replayed" not in first and second["Idempotent-Replayed"] == "true"
        assert first["X-Request-Id"] != second["X-Request-Id"]
        assert int(second["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1
        assert Client.objects.count() == 1

    def test_without_a_key_each_request_is_its_own(self, api):
        assert post(api, None).content != post(api, None).content
        assert Client.objects.count() == 2 and not IdempotencyRecord.objects.exists()

    def test_a_key_may_be_quoted(self, api):
        assert post(api, '"k1"').content == post(api, "k1").content == post(api, "  k1 ").content

    @pytest.mark.parametrize(
        "key", ["a", "~" * 255, '"' + "a" * 255 + '"', "two words", "a4b2c0d1-9a1b-4d6c-9c8d-1f3e2a7b1234"]
    )
    def test_good_keys(self, api, key):
        assert post(api, key).status_code == 201

    @pytest.mark.parametrize("key", ["", '""', "  ", "a" * 256, "é", "a\x00b", "a\tb", "\x7f", "\ud800"])
    def test_bad_keys(self, api, key):
        response = post(api, key)
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["code"] == "VALIDATION_ERROR" and list(error["details"]) == ["Idempotency-Key"]
        assert not Client.objects.exists()

    @pytest.mark.parametrize("other", [{"body": {"a": 2}}, {"path": "/api/v1/twice"}, {"method": "put"}])
    def test_another_body_route_or_method_with_the_key(self, api, other):
        request = {"body": {"a": 1}}
        assert post(api, "k1", **request).status_code == 201
        response = post(api, "k1", **request | other)
        assert response.status_code == 422
        assert response.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert Client.objects.count() == 1

    def test_the_order_of_fields_and_a_trailing_slash_make_no_other_request(self, api):
        first = post(api, "k1", {"a": 1, "b": 2})
        assert post(api, "k1", {"b": 2, "a": 1}, path="/api/v1/once/").content == first.content

    def test_workspaces_do_not_share_keys(self, api, api_key, second_workspace):
        other = api_client(api_key(workspace=second_workspace))
        assert post(api, "k1").json()["id"] != post(other, "k1").json()["id"]

    def test_keys_of_one_workspace_share_them(self, api, api_key):
        assert post(api_client(api_key()), "k1").content == post(api, "k1").content

    def test_a_replay_needs_the_scope_and_the_quota(self, api, api_key, monkeypatch):
        post(api, "k1")
        monkeypatch.setattr(Once, "required_scopes", {"POST": "team:write"})
        assert post(api_client(api_key(scopes=["team:read"])), "k1").status_code == 403
        assert post(api_client(api_key(rate_limit_override=0)), "k1").status_code == 429

    @pytest.mark.parametrize("where", ["before", "during"])
    @pytest.mark.parametrize("code", ["SYNC_IN_PROGRESS", "INTEGRATION_NOT_CONNECTED", "UNAVAILABLE"])
    def test_errors_are_not_kept_and_undo_the_work(self, api, monkeypatch, where, code):
        with monkeypatch.context() as patch:
            patch.setattr(Once, where, refuse(code))
            assert post(api, "k1").json()["error"]["code"] == code
        assert not Client.objects.exists() and not Change.objects.exists() and not IdempotencyRecord.objects.exists()
        assert post(api, "k1").status_code == 201

    def test_an_answer_that_is_no_success_is_not_kept(self, api, monkeypatch):
        monkeypatch.setattr(Once, "status", 409)
        assert post(api, "k1").status_code == 409
        assert not Client.objects.exists() and not IdempotencyRecord.objects.exists()

    def test_a_crash_keeps_nothing(self, api, monkeypatch):
        monkeypatch.setattr(Once, "during", staticmethod(lambda: 1 / 0))
        assert post(api, "k1").status_code == 500
        assert not Client.objects.exists() and not IdempotencyRecord.objects.exists()

    def test_a_replay_does_not_meet_the_guards(self, api, monkeypatch):
        first = post(api, "k1")
        monkeypatch.setattr(Once, "before", refuse("SYNC_IN_PROGRESS"))
        monkeypatch.setattr(Once, "during", refuse("SYNC_IN_PROGRESS"))
        assert post(api, "k1").content == first.content
        assert post(api, "k2").status_code == 409

    def test_a_guard_that_saw_the_work_of_the_same_key_yields_to_the_replay(self, api, api_key, monkeypatch):
        """Between our look for an answer and our guards, the first request with this key has committed."""
        other = api_client(api_key())

        def first_request_wins():
            monkeypatch.setattr(Once, "before", staticmethod(lambda: None))
            post(other, "k1")
            raise ApiError("SYNC_IN_PROGRESS")

        monkeypatch.setattr(Once, "before", staticmethod(first_request_wins))
        response = post(api, "k1")
        assert response.status_code == 201 and response["Idempotent-Replayed"] == "true"
        assert Client.objects.count() == 1

    def test_answers_are_kept_for_a_day(self, api):
        start = timezone.now()
        first = post(api, "k1")
        with time_machine.travel(start + dt.timedelta(hours=23, minutes=59), tick=False):
            assert idempotency.prune(timezone.now()) == 0
            assert post(api, "k1").content == first.content
        with time_machine.travel(start + dt.timedelta(hours=25), tick=False):
            assert post(api, "k1", {"another": "body"}).status_code == 201
            assert Client.objects.count() == 2 and IdempotencyRecord.objects.count() == 1
        with time_machine.travel(start + dt.timedelta(hours=50), tick=False):
            assert idempotency.prune(timezone.now()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 2))])
def test_sixteen_first_requests_at_once_run_once(api_key, in_parallel, round):
    secret = api_key()
    answers = in_parallel(16, lambda _: post(api_client(secret), "k1", {"round": round}))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    assert Client.objects.count() == 1 and Change.objects.count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_different_keys_at_once_all_run(api_key, in_parallel):
    secret = api_key()
    answers = in_parallel(16, lambda number: post(api_client(secret), f"k{number}"))
    assert {answer.status_code for answer in answers} == {201} and Client.objects.count() == 16


@pytest.mark.skipif(not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="row locks: PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_a_first_request_that_does_not_commit_is_reported(api, workspace):
    """SQLite has one writer at a time, so that there a second request waits for its turn and then finds the answer."""
    claimed, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            IdempotencyRecord.objects.create(workspace=workspace, key="k1", fingerprint="x")
            claimed.set()
            done.wait(timeout=30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    claimed.wait(timeout=30)
    response = post(api, "k1")
    done.set()
    holder.join()
    assert response.status_code == 409 and response["Retry-After"] == "1"
    assert response.json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
