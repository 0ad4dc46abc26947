"""When a delivery is tried again, and what an answer means."""

import datetime as dt
from email.utils import format_datetime

import pytest

from fieldcamp.webhooks import policy
from fieldcamp.webhooks.policy import DeliveryOutcome
from integrations.transport.webhook_client import WebhookAnswer

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


def test_the_schedule_is_the_specifications():
    assert len(policy.SCHEDULE) == 10
    assert sum(policy.SCHEDULE, dt.timedelta(0)) == dt.timedelta(hours=75, minutes=35, seconds=5)
    for attempts, wait in enumerate(policy.SCHEDULE):
        low, high = (policy.next_attempt(attempts, NOW, spread) for spread in (0.0, 1.0))
        assert (low - NOW, high - NOW) == (wait * 0.9, wait * 1.1)
    assert policy.next_attempt(10, NOW, 0.5) is None


def test_probes_come_ever_later_up_to_an_hour():
    minutes = [(policy.next_probe(count, NOW, 0.5) - NOW) / dt.timedelta(minutes=1) for count in range(9)]
    assert minutes == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])


@pytest.mark.parametrize(
    ("answer", "outcome", "counts"),
    [
        *[(WebhookAnswer(1, status=status), DeliveryOutcome.DELIVERED, False) for status in (200, 201, 202, 204, 299)],
        *[(WebhookAnswer(1, status=status), DeliveryOutcome.RETRY, True) for status in (300, 301, 302, 307, 308)],
        (WebhookAnswer(1, status=410), DeliveryOutcome.GONE, True),
        (WebhookAnswer(1, status=429), DeliveryOutcome.PACED, False),
        (WebhookAnswer(1, status=429, retry_after="9"), DeliveryOutcome.PACED, False),
        (WebhookAnswer(1, status=503, retry_after="9"), DeliveryOutcome.PACED, True),
        *[
            (WebhookAnswer(1, status=status), DeliveryOutcome.RETRY, True)
            for status in (199, 400, 401, 403, 404, 405, 413, 415, 422, 500, 502, 503, 504, 599)
        ],
        *[
            (WebhookAnswer(1, error=error), DeliveryOutcome.RETRY, True)
            for error in ("TIMEOUT", "CONNECT", "TLS", "DNS", "BLOCKED_ADDRESS", "TOO_LARGE")
        ],
    ],
)
def test_each_row_of_the_table(answer, outcome, counts):
    rule = policy.rule_of(answer)
    assert (rule.outcome, rule.counts_as_failure) == (outcome, counts)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("99999999999999999999", 86_400), ("172800", 86_400),
        (format_datetime(NOW + dt.timedelta(hours=1), usegmt=True), 3600),
        (format_datetime(NOW + dt.timedelta(days=9), usegmt=True), 86_400),
        (format_datetime(NOW - dt.timedelta(hours=1), usegmt=True), None),
        ("", None), ("soon", None), ("-5", None), ("1.5", None), ("²", None), ("Fri, 99 Foo 2026 99:00:00 GMT", None),
    ],
)  # fmt: skip
def test_what_an_answer_asks_for(header, seconds):
    asked = policy.asked_to_wait(WebhookAnswer(1, status=429, retry_after=header), NOW)
    assert asked == (None if seconds is None else NOW + dt.timedelta(seconds=seconds))
