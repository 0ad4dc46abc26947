"""How many attempts have come to what, since ever: counted in memory, and added to the table now and then, so that the
threads do not wait for each other at one row. What a killed process had not added yet is lost to the numbers alone."""

import threading
from collections import Counter

from django.db import transaction
from django.db.models import F

from fieldcamp.webhooks.models import DeliveryTotal
from fieldcamp.webhooks.sending import SentAttempt


class AttemptTotals:
    """What this process has not added yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()

    def add(self, sent: SentAttempt) -> None:
        """Counts an attempt: what was answered, by its class, or our word for why nothing was."""
        answer = sent.answer
        outcome = f"{answer.status // 100}xx" if answer.status else answer.error.lower()
        with self._lock:
            self._counts[outcome] += 1
            self._seconds[outcome] += answer.ms / 1000  # type: ignore[assignment]

    def save(self) -> None:
        """Adds it to the table, rows in one order."""
        with self._lock:
            counts, seconds = self._counts, self._seconds
            self._counts, self._seconds = Counter(), Counter()
        if not counts:
            return
        with transaction.atomic():
            DeliveryTotal.objects.bulk_create(
                [DeliveryTotal(outcome=outcome) for outcome in sorted(counts)], ignore_conflicts=True
            )
            for outcome in sorted(counts):
                DeliveryTotal.objects.filter(pk=outcome).update(
                    count=F("count") + counts[outcome], seconds=F("seconds") + seconds[outcome]
                )
