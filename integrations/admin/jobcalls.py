"""A job's calls to a provider, as a table for that provider's support."""

from collections.abc import Iterator

from fieldcamp.spreadsheets import csv_line
from integrations.models import JobCall, SyncJob
from integrations.providers import PROVIDERS

CHUNK = 2_000


def support_of(job: SyncJob) -> str:
    """Returns whose support the job's calls are kept for; "" where there are none (any more)."""
    provider = PROVIDERS.get(job.integration)
    return provider.support if provider and provider.support and job.calls.exists() else ""


def calls_csv(job: SyncJob) -> Iterator[str]:
    """Yields the calls in their order, fetched a chunk at a time: when, what was asked for (no query, no body), how it
    ended, and the provider's own name for the exchange."""
    yield csv_line(["time_utc", "method", "path", "status", "duration_ms", PROVIDERS[job.integration].trace_name])
    last = 0
    while True:
        chunk = list(JobCall.objects.filter(job=job, pk__gt=last).order_by("pk")[:CHUNK])
        for call in chunk:
            yield csv_line(
                [
                    call.at.isoformat(timespec="milliseconds"),
                    call.method,
                    call.path,
                    call.status,
                    str(call.ms),
                    call.trace,
                ]
            )
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk
