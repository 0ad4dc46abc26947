"""/metrics: what it counts, and who may read it."""

import pytest
from django.test import Client
from django.utils import timezone

from integrations.accounts.clients import counter
from integrations.models import DailyCalls, OAuthGrant, Problem
from integrations.providers import PROVIDERS
from tests.integrations import build

pytestmark = pytest.mark.django_db


def scraped(**extra) -> str:
    response = Client().get("/metrics", **extra)
    assert response.status_code == 200
    return response.content.decode()


def test_jobs_accounts_problems_and_calls(django_assert_max_num_queries):
    workspace = build.workspace()
    account = build.connection(workspace)
    OAuthGrant.objects.create(connection=account, access_token="ya29.CANARY", granted_at=build.NOW)
    build.job(workspace)
    for status in ("succeeded", "succeeded", "failed"):
        build.job(workspace, status)
    Problem.objects.create(
        workspace=workspace, integration=build.GOOGLE, connection=account, code="CONFLICT", message="x",
        occurred_at=timezone.now(),
    )  # fmt: skip
    count = counter(PROVIDERS[build.GOOGLE])
    for status in (200, 200, 503, "ConnectTimeout"):
        count(status)
    DailyCalls.objects.create(connection=account, day=timezone.now().date(), reads=1, writes=1, counted=4)
    with django_assert_max_num_queries(19):
        text = scraped()
    for line in (
        'fieldcamp_jobs{integration="google_calendar",status="succeeded"} 2.0',
        'fieldcamp_jobs{integration="google_calendar",status="queued"} 1.0',
        'fieldcamp_connections{integration="google_calendar",state="active"} 1.0',
        'fieldcamp_open_problems{code="CONFLICT",integration="google_calendar"} 1.0',
        'fieldcamp_provider_calls_total{integration="google_calendar",status="200"} 2.0',
        'fieldcamp_provider_calls_total{integration="google_calendar",status="ConnectTimeout"} 1.0',
        f'fieldcamp_sync_lag_seconds{{connection="{account.pk}",integration="google_calendar"}}',
        f'fieldcamp_token_age_seconds{{connection="{account.pk}",integration="google_calendar"}}',
        "fieldcamp_queue_age_seconds",
        'fieldcamp_stalled_connections{integration="google_calendar"} 1.0',  # never synced, since long
        f'fieldcamp_fresh_until_timestamp_seconds{{connection="{account.pk}",integration="google_calendar"}}',
        f'fieldcamp_provider_calls_today{{connection="{account.pk}",integration="google_calendar"}} 4.0',
    ):
        assert line in text
    assert "CANARY" not in text and account.account_name not in text and workspace.name not in text


def test_without_a_token_only_this_machine_reads():
    assert "fieldcamp_jobs" in scraped(REMOTE_ADDR="127.0.0.1")
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    for header in ("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_REAL_IP", "FORWARDED", "VIA"):
        extra = {"REMOTE_ADDR": "127.0.0.1", f"HTTP_{header}": "203.0.113.9"}
        assert Client().get("/metrics", **extra).status_code == 404, header


def test_without_a_token_it_is_closed_where_others_reach_the_site(settings):
    settings.PUBLIC_URL = "https://sync.example.com"
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404


def test_with_a_token_whoever_has_it_reads(settings):
    settings.METRICS_TOKEN = "s3cret"
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer wrong").status_code == 404
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer é").status_code == 404
    assert "fieldcamp_jobs" in scraped(HTTP_AUTHORIZATION="Bearer s3cret", REMOTE_ADDR="203.0.113.9")
