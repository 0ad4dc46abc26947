"""Whether events reach the webhooks of API clients."""

from collections.abc import Iterator

from django.utils import timezone

from fieldcamp.webhooks.figures import figures
from integrations.services.doctor.findings import Finding, Weight


def webhooks() -> Iterator[Finding]:
    """Yields whether the process that sends them keeps up, and how many of them fail."""
    now = figures(timezone.now())
    if now.is_late and now.oldest_event is not None:
        minutes = int(now.oldest_event.total_seconds() // 60)
        yield Finding(
            Weight.WRONG,
            "Webhooks",
            f"An event has waited for {minutes} minutes to be handed to webhooks: nothing is sent.",
            "Run manage.py worker: it starts the process that sends them. The log says why one ended.",
        )
        return
    alive = sum(now.endpoints.values())
    waiting = sum(now.pending.values())
    failing = now.endpoints.get("failing", 0)
    if failing:
        yield Finding(
            Weight.NOTE,
            "Webhooks",
            f"{failing} of {alive} webhooks fail; {waiting} deliveries wait.",
            "Their owners and admins are mailed; the desk shows what their servers answer.",
        )
    elif alive:
        yield Finding(Weight.FINE, "Webhooks", f"{alive} webhooks; {waiting} deliveries wait.")
