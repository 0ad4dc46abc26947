"""Request quotas: what callers are told, and that the count is exact."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from fieldcamp.api import limits, services
from fieldcamp.api.models import ApiKey, RateWindow
from tests.conftest import api_client

START = dt.datetime(2026, 11, 22, 8, 0, 10, tzinfo=dt.UTC)
NEXT_MINUTE, NEXT_DAY = 1795334460, 1795392000


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def explicit(response) -> tuple[int, int, int]:
    return tuple(int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


@pytest.mark.django_db
class TestOneCaller:
    def test_the_key_has_a_hundred_calls_a_minute(self, api_key, clock):
        client = api_client(api_key(rate_limit_override=None))
        assert explicit(client.get("/api/v1/team")) == (100, 99, NEXT_MINUTE)
        RateWindow.objects.filter(id__startswith="key_").update(used=99)
        assert explicit(client.get("/api/v1/team")) == (100, 0, NEXT_MINUTE)
        response = client.get("/api/v1/team")
        assert response.status_code == 429
        assert explicit(response) == (100, 0, NEXT_MINUTE)
        assert response["Retry-After"] == "50"
        error = response.json()["error"]
        assert error["code"] == "RATE_LIMITED" and error["details"] == {"limit": 100}
        clock.shift(50)
        assert explicit(client.get("/api/v1/team")) == (100, 99, NEXT_MINUTE + 60)

    def test_the_workspace_has_its_calls_a_day_over_all_keys(self, workspace, api_key, clock):
        workspace.daily_request_limit = 3
        workspace.save()
        one, other = (api_client(api_key(rate_limit_override=None)) for _ in range(2))
        assert explicit(one.get("/api/v1/team")) == (3, 2, NEXT_DAY)
        assert explicit(other.get("/api/v1/team")) == (3, 1, NEXT_DAY)
        one.get("/api/v1/team")
        refused = other.get("/api/v1/team")
        assert refused.status_code == 429 and explicit(refused) == (3, 0, NEXT_DAY)
        clock.move_to(dt.datetime.fromtimestamp(NEXT_DAY, dt.UTC))
        assert other.get("/api/v1/team").status_code == 200

    def test_a_refused_call_draws_on_neither_window(self, workspace, api_key):
        workspace.daily_request_limit = 100
        workspace.save()
        client = api_client(api_key(rate_limit_override=2))
        codes = [client.get("/api/v1/team").status_code for _ in range(5)]
        assert codes == [200, 200, 429, 429, 429]
        assert sorted(RateWindow.objects.values_list("used", flat=True)) == [2, 2]

    def test_no_cap_on_the_day(self, workspace, api_key):
        workspace.daily_request_limit = None
        workspace.save()
        client = api_client(api_key(rate_limit_override=1_000_000))
        assert explicit(client.get("/api/v1/team")) == (1_000_000, 999_999, NEXT_MINUTE)
        assert RateWindow.objects.count() == 1

    def test_an_override_of_zero_stops_the_key(self, api_key):
        assert api_client(api_key(rate_limit_override=0)).get("/api/v1/team").status_code == 429

    def test_every_answer_to_a_known_key_is_counted_and_says_so(self, api_key):
        client = api_client(api_key(scopes=["visits:read", "visits:write"], rate_limit_override=20))
        answers = [
            client.get("/api/v1/visits"),
            client.get("/api/v1/visits", HTTP_ACCEPT="text/html"),
            client.get("/api/v1/visits/vis_nope"),
            client.get("/api/v1/nowhere"),
            client.post("/api/v1/nowhere", {}),
            client.get("/api/v1/team"),
            client.delete("/api/v1/visits"),
            client.post("/api/v1/visits", "{", content_type="application/json"),
            client.post("/api/v1/visits", "x", content_type="text/plain"),
            client.options("/api/v1/visits"),
        ]
        assert [answer.status_code for answer in answers] == [200, 406, 404, 404, 404, 403, 405, 400, 415, 204]
        assert [explicit(answer)[1] for answer in answers] == list(range(19, 9, -1))

    def test_scope_comes_before_the_quota_and_the_quota_before_the_body(self, api_key):
        client = api_client(api_key(scopes=["visits:write"], rate_limit_override=0))
        assert client.get("/api/v1/team").status_code == 403
        assert client.post("/api/v1/visits", "{", content_type="application/json").status_code == 429

    def test_unknown_addresses_without_a_key(self):
        response = api_client().get("/api/v1/nowhere")
        assert response.status_code == 404 and "X-RateLimit-Limit" not in response

    def test_old_windows_are_forgotten(self, api_key, clock):
        api_client(api_key()).get("/api/v1/team")
        clock.shift(dt.timedelta(days=1, minutes=2))
        assert limits.prune(timezone.now()) == 1  # the minute; the day ended less than a day ago
        clock.shift(dt.timedelta(days=1))
        assert services.prune(timezone.now()) == 1
        assert not RateWindow.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_sixty_parallel_calls_are_counted_exactly(workspace, api_key, in_parallel):
    workspace.daily_request_limit = 1000
    workspace.save()
    secret = api_key(rate_limit_override=40)
    codes = in_parallel(60, lambda _: api_client(secret).get("/api/v1/team").status_code)
    assert sorted(codes) == [200] * 40 + [429] * 20
    assert sorted(RateWindow.objects.values_list("used", flat=True)) == [40, 40]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_keys_of_one_workspace_share_its_day(workspace, api_key, in_parallel):
    workspace.daily_request_limit = 30
    workspace.save()
    keys = [ApiKey.objects.select_related("workspace").get(prefix=api_key()[:20]) for _ in range(4)]
    quotas = in_parallel(40, lambda number: limits.take(keys[number % 4]).window.exceeded)
    assert sum(quotas) == 10
