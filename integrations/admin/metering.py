"""What the desk shows of an account's calls to its provider."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp import formats
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.selectors.metering import Day, MeterReading, meters_of, midnight_after


@dataclass(frozen=True)
class MeterWarning:
    """A line on the dashboard's card: a day's limit comes near, or is reached."""

    sentence: str
    url: str


def meter_context(connection: Connection, now: dt.datetime) -> dict[str, Any]:
    """Returns the counts as rows, what the provider bills of them, and when a reached limit ends; one query."""
    meter = meters_of([connection], now)[connection.pk]
    provider = PROVIDERS[connection.integration]
    rows: list[tuple[str, Day]] = [
        (gettext("Today (UTC)"), meter.today),
        (gettext("Yesterday"), meter.yesterday),
        *((formats.weekday(day), count) for day, count in meter.days[2:]),
        (gettext("Last 30 days"), meter.last),
    ]
    return {
        "meter": meter,
        "meter_rows": rows,
        "bills": provider.label if provider.meters_reads else "",
        "meter_url": reverse("integrations:metering", args=[connection.pk]) if provider.meters_reads else "",
        "installation_limit": provider.metered_reads_per_day,
        "goes_on_at": midnight_after(now) if meter.allowance.spent else None,
    }


def meter_warnings(connections: Sequence[Connection], now: dt.datetime) -> dict[str, MeterWarning]:
    """Returns what the dashboard says, by connection, of those that near their day's limit; one query at most."""
    billed = [connection for connection in connections if PROVIDERS[connection.integration].meters_reads]
    if not billed:
        return {}
    found = meters_of(billed, now)
    return {
        connection.pk: MeterWarning(
            _sentence(found[connection.pk], PROVIDERS[connection.integration].label, midnight_after(now)),
            reverse("integrations:metering", args=[connection.pk]),
        )
        for connection in billed
        if found[connection.pk].allowance.nearly_spent
    }


def _sentence(meter: MeterReading, label: str, until: dt.datetime) -> str:
    allowance = meter.allowance
    values = {"used": f"{allowance.used:,}", "limit": f"{allowance.limit:,}", "provider": label}
    if allowance.spent:
        return gettext(
            "All {limit} reads that {provider} may bill today are used up. What has changed waits until {time} UTC."
        ).format(**values, time=f"{until:%H:%M}")
    return gettext("{used} of {limit} reads that {provider} may bill today are used.").format(**values)
