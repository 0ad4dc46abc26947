"""Deliveries for Prometheus. Labels are outcomes and states: of no company and no address."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from fieldcamp.webhooks.figures import figures, totals


class WebhookCollector(Collector):
    """How deliveries stand now. A constant number of queries."""

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(
            "webhook_deliveries", "Attempts by the class of the answer, or by why there was none.", labels=["outcome"]
        )
        count, seconds = 0, 0.0
        for outcome, (number, took) in totals().items():
            counts.add_metric([outcome], number)
            count, seconds = count + number, seconds + took
        yield counts
        yield SummaryMetricFamily(
            "webhook_delivery_seconds", "How long attempts took.", count_value=count, sum_value=seconds
        )
        now = figures(timezone.now())
        pending = GaugeMetricFamily(
            "webhook_pending", "Deliveries that wait, by their webhook's state.", labels=["state"]
        )
        for state, number in sorted(now.pending.items()):
            pending.add_metric([state], number)
        yield pending
        endpoints = GaugeMetricFamily("webhook_endpoints", "Webhooks by state.", labels=["state"])
        for state, number in sorted(now.endpoints.items()):
            endpoints.add_metric([state], number)
        yield endpoints
        for name, text, age in (
            ("webhook_oldest_pending_age_seconds", "Since a delivery was due that is not sent yet.", now.oldest_due),
            ("webhook_oldest_event_age_seconds", "Since an event waits to be handed out.", now.oldest_event),
        ):
            yield GaugeMetricFamily(name, text, value=age.total_seconds() if age else 0)
