"""When a delivery is tried again, what an answer means, when an endpoint is left alone and when it is given up: numbers
and tables, and pure functions of them. The documentation is made of the tables.

The schedule is that of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import datetime as dt
import email.utils
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from integrations.transport.webhook_client import CONNECT_SECONDS, TOTAL_SECONDS, WebhookAnswer

_SECOND, _MINUTE, _HOUR, _DAY = (dt.timedelta(seconds=each) for each in (1, 60, 3_600, 86_400))

# How long after the one before each attempt is made.
SCHEDULE = (
    _SECOND * 0, _SECOND * 5, _MINUTE * 5, _MINUTE * 30, _HOUR * 2, _HOUR * 5, _HOUR * 10, _HOUR * 14, _HOUR * 20,
    _HOUR * 24,
)  # fmt: skip
JITTER = (0.9, 1.1)
LEASE = _SECOND * 60
LONGEST_WAIT = _HOUR * 24  # that an answer's Retry-After may ask for
SHORTEST_PACE = _SECOND * 5  # after a 429 that does not say how long

FAILURES_TO_PROBE = 5  # in a row
PROBES = tuple(_MINUTE * each for each in (1, 2, 4, 8, 16, 32, 60))  # the last one again and again

TELL_AFTER = _HOUR
DISABLE_AFTER = 5 * _DAY
WARN_BEFORE = _DAY
FEWEST_UNDELIVERED = 10  # events: fewer of them disable nothing

IN_FLIGHT = 2  # of one endpoint
THREADS, SLOW_THREADS = 16, 12
SLOW_SECONDS = 3.0  # that nineteen of twenty attempts take at most
WORKSPACE_PER_SECOND = 100
TESTS_AT_ONCE = 2  # of one workspace


class DeliveryOutcome(StrEnum):
    """What an attempt has come to."""

    DELIVERED = "delivered"
    RETRY = "retry"
    PACED = "paced"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of answer means. `answers` and `then` are for people to read."""

    answers: str
    outcome: DeliveryOutcome
    counts_as_failure: bool
    then: str
    holds: Callable[[WebhookAnswer], bool]


def _has_status(*statuses: int) -> Callable[[WebhookAnswer], bool]:
    return lambda answer: answer.status in statuses


# The first that holds.
OUTCOMES = (
    Rule("2xx", DeliveryOutcome.DELIVERED, False, "Delivered.", lambda answer: answer.is_accepted),
    Rule(
        "3xx", DeliveryOutcome.RETRY, True,
        "Tried again on the schedule. Redirects are not followed: enter the final address.",
        lambda answer: answer.status is not None and 300 <= answer.status < 400,
    ),
    Rule("410", DeliveryOutcome.GONE, True, "The webhook is disabled at once, and owners and admins are mailed.",
         _has_status(410)),
    Rule(
        "429", DeliveryOutcome.PACED, False,
        "Tried again on the schedule, and not before `Retry-After` says, up to 24 hours; nothing else is sent to the "
        "webhook until then. It is not taken for a failure.",
        _has_status(429),
    ),
    Rule(
        "503 with `Retry-After`", DeliveryOutcome.PACED, True,
        "The same, and taken for a failure.",
        lambda answer: answer.status == 503 and bool(answer.retry_after),
    ),
    Rule(
        "any other status", DeliveryOutcome.RETRY, True,
        "Tried again on the schedule, 4xx as well: deployments answer so.",
        lambda answer: answer.status is not None,
    ),
    Rule(
        "none: `TIMEOUT`, `CONNECT`, `TLS`, `DNS`, `BLOCKED_ADDRESS`, `TOO_LARGE`", DeliveryOutcome.RETRY, True,
        f"Tried again on the schedule. An answer has {TOTAL_SECONDS:.0f} seconds in all, a connection "
        f"{CONNECT_SECONDS:.0f} of them.",
        lambda answer: True,
    ),
)  # fmt: skip


def rule_of(answer: WebhookAnswer) -> Rule:
    """Returns what this answer means."""
    return next(rule for rule in OUTCOMES if rule.holds(answer))


def next_attempt(attempts: int, now: dt.datetime, spread: float) -> dt.datetime | None:
    """Returns when a delivery is tried again that has had so many attempts; None where it has had all. `spread` is from
    0 to 1: how far into the jitter it falls."""
    if attempts >= len(SCHEDULE):
        return None
    low, high = JITTER
    return now + SCHEDULE[attempts] * (low + (high - low) * spread)


def next_probe(probes: int, now: dt.datetime, spread: float) -> dt.datetime:
    """Returns when an endpoint is tried again that has been tried so many times since it counts as failing."""
    low, high = JITTER
    return now + PROBES[min(probes, len(PROBES) - 1)] * (low + (high - low) * spread)


def asked_to_wait(answer: WebhookAnswer, now: dt.datetime) -> dt.datetime | None:
    """Returns until when the answer's Retry-After (seconds, or a date) asks to wait, a day at most; None where it asks
    for nothing that can be read."""
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        return now + min(dt.timedelta(seconds=min(int(text), 10**6)), LONGEST_WAIT)
    try:
        then = email.utils.parsedate_to_datetime(text)
        seconds = then.timestamp() - now.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return now + min(dt.timedelta(seconds=seconds), LONGEST_WAIT)
