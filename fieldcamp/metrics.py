"""/metrics for Prometheus, read from the database at each scrape: right however many processes there are."""

import datetime as dt
import hmac
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fieldcamp.links import is_loopback
from fieldcamp.webhooks.metrics import WebhookCollector
from integrations.models import (
    Connection,
    ConnectionState,
    DailyCalls,
    JobStatus,
    OAuthGrant,
    Problem,
    ProviderCalls,
    SyncJob,
)
from integrations.providers import PROVIDERS
from integrations.selectors.dashboard import queue_health
from integrations.selectors.freshness import AWAITED
from integrations.selectors.metering import utc_day
from integrations.selectors.stalls import all_freshness, in_flight

METERED = [provider.name for provider in PROVIDERS.values() if provider.meters_reads]
_LOOPBACK = ("127.0.0.1", "::1")
# What proxies put on a request, whether they say whose it is or not; beside them all of `X-Forwarded-…`.
_FORWARDED = (
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
)


class SyncCollector(Collector):
    """How the syncs stand now. A constant number of queries; labels are ids and codes, never names or addresses."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield from self._jobs(now)
        yield from self._connections(now)
        yield from self._freshness(now)
        yield self._problems()
        yield self._calls()
        yield from self._calls_today(now)

    def _jobs(self, now: dt.datetime) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("fieldcamp_jobs", "Kept jobs by state.", labels=["integration", "status"])
        rows = SyncJob.objects.order_by().values_list("integration", "status").annotate(number=Count("pk"))
        for integration, status, number in rows:
            jobs.add_metric([integration, status], number)
        yield jobs
        queue = queue_health(now)
        age = queue.oldest_queued.total_seconds() if queue.oldest_queued else 0
        yield GaugeMetricFamily("fieldcamp_queue_age_seconds", "Age of the job that waits longest.", value=age)
        if queue.heartbeat is not None:
            yield GaugeMetricFamily(
                "fieldcamp_worker_heartbeat_age_seconds",
                "Since a pulse came through the queue.",
                value=queue.heartbeat.total_seconds(),
            )
        oldest = SyncJob.objects.filter(status=JobStatus.RUNNING).aggregate(at=Min("started_at"))["at"]
        running = (now - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("fieldcamp_oldest_running_job_seconds", "Age of the oldest running job.", value=running)

    def _connections(self, now: dt.datetime) -> Iterator[Metric]:
        states = GaugeMetricFamily("fieldcamp_connections", "Accounts by state.", labels=["integration", "state"])
        rows = Connection.objects.order_by().values_list("integration", "state").annotate(number=Count("pk"))
        for integration, state, number in rows:
            states.add_metric([integration, state], number)
        yield states
        lag = GaugeMetricFamily(
            "fieldcamp_sync_lag_seconds",
            "Since an account's last good sync, or since it was connected.",
            labels=["integration", "connection"],
        )
        alive = Connection.objects.exclude(state__in=[ConnectionState.DISCONNECTED, ConnectionState.SETUP]).order_by(
            "pk"
        )
        for pk, integration, synced, connected in alive.values_list(
            "pk", "integration", "last_synced_at", "connected_at"
        ):
            if since := synced or connected:
                lag.add_metric([integration, pk], (now - since).total_seconds())
        yield lag
        tokens = GaugeMetricFamily(
            "fieldcamp_token_age_seconds", "Since an account's token was renewed.", labels=["integration", "connection"]
        )
        grants = OAuthGrant.objects.filter(connection__in=alive).order_by("pk")
        for pk, integration, refreshed, granted in grants.values_list(
            "connection_id", "connection__integration", "refreshed_at", "granted_at"
        ):
            if since := refreshed or granted:
                tokens.add_metric([integration, pk], (now - since).total_seconds())
        yield tokens

    def _freshness(self, now: dt.datetime) -> Iterator[Metric]:
        """Yields until when each account may be believed to be current, and how many are not although they should."""
        until = GaugeMetricFamily(
            "fieldcamp_fresh_until_timestamp_seconds",
            "Until when an account's data may be believed to be current; one that lies behind is stalled.",
            labels=["integration", "connection"],
        )
        stalled = GaugeMetricFamily(
            "fieldcamp_stalled_connections", "Accounts whose data is older than it should be.", labels=["integration"]
        )
        connections = list(Connection.objects.filter(state__in=AWAITED).select_related("member").order_by("pk"))
        fresh = all_freshness(connections, in_flight(), now)
        late: Counter[str] = Counter({connection.integration: 0 for connection in connections})
        for connection in connections:
            if (found := fresh.get(connection.pk)) and found.due:
                until.add_metric([connection.integration, connection.pk], found.due.timestamp())
                late[connection.integration] += found.stalled(now)
        for integration, number in late.items():
            stalled.add_metric([integration], number)
        yield until
        yield stalled

    def _problems(self) -> Metric:
        problems = GaugeMetricFamily(
            "fieldcamp_open_problems", "Open problems by code.", labels=["integration", "code"]
        )
        rows = Problem.objects.open().filter(notice=False).order_by().values_list("integration", "code")
        for integration, code, number in rows.annotate(number=Count("pk")):
            problems.add_metric([integration, code], number)
        return problems

    def _calls(self) -> Metric:
        calls = CounterMetricFamily(
            "fieldcamp_provider_calls", "Calls to providers by HTTP status, or by what went wrong.",
            labels=["integration", "status"],
        )  # fmt: skip
        for integration, status, number in ProviderCalls.objects.order_by("pk").values_list(
            "integration", "status", "count"
        ):
            calls.add_metric([integration, status], number)
        return calls

    def _calls_today(self, now: dt.datetime) -> Iterator[Metric]:
        """Yields the calls since midnight (UTC), and what of them is billed: the reads, and the batches that may be."""
        labels = ["integration", "connection"]
        calls = GaugeMetricFamily(
            "fieldcamp_provider_calls_today", "Calls today as the provider counts them.", labels=labels
        )
        reads = GaugeMetricFamily(
            "fieldcamp_metered_reads_today", "Reads today that the provider bills.", labels=labels
        )
        batches = GaugeMetricFamily(
            "fieldcamp_unsettled_calls_today", "Calls today that the provider may bill.", labels=labels
        )
        rows = DailyCalls.objects.filter(day=utc_day(now)).order_by("pk")
        for pk, integration, counted, metered, unsettled in rows.values_list(
            "connection_id", "connection__integration", "counted", "metered", "unsettled"
        ):
            calls.add_metric([integration, pk], counted)
            if integration in METERED:
                reads.add_metric([integration, pk], metered)
                batches.add_metric([integration, pk], unsettled)
        yield calls
        yield reads
        yield batches


REGISTRY = CollectorRegistry(auto_describe=False)
REGISTRY.register(SyncCollector())
REGISTRY.register(WebhookCollector())


def _may_read(request: HttpRequest) -> bool:
    """Returns whether the caller may read: with METRICS_TOKEN set whoever presents it; else this machine alone, where
    nobody else reaches the site, and nobody through a proxy, which may stand on this machine, too."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if not is_loopback(urlsplit(settings.PUBLIC_URL).hostname or ""):
        return False
    forwarded = any(name in _FORWARDED or name.startswith("x-forwarded-") for name in map(str.lower, request.headers))
    return request.META.get("REMOTE_ADDR") in _LOOPBACK and not forwarded


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Returns everything that `SyncCollector` knows. 404 for whoever may not read it."""
    if not _may_read(request):
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
