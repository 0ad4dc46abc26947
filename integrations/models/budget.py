"""How many calls an account has made lately, shared by all processes."""

from django.db import models


class ProviderBudget(models.Model):
    """One connection's calls: `{bucket number: calls}` of the last minute, and all of `day` (UTC). `version` moves with
    every write (compare and swap)."""

    connection = models.OneToOneField("integrations.Connection", models.CASCADE, related_name="budget")
    buckets = models.JSONField(default=dict)
    day = models.DateField(null=True, blank=True)
    calls_today = models.PositiveIntegerField(default=0)
    paced_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"calls of {self.connection_id}"


class ProviderCalls(models.Model):
    """Calls to a provider so far, by HTTP status or by what went wrong: for /metrics."""

    integration = models.CharField(max_length=32)
    status = models.CharField(max_length=40)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "status"], name="one_counter_per_status")]

    def __str__(self) -> str:
        return f"{self.integration} {self.status} {self.count}"
