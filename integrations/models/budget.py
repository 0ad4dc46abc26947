"""How many calls an account has made lately, shared by all processes."""

from django.db import models


class ProviderBudget(models.Model):
    """One connection's calls, `{bucket number: calls}`. `version` moves with every write (compare and swap)."""

    connection = models.OneToOneField("integrations.Connection", models.CASCADE, related_name="budget")
    buckets = models.JSONField(default=dict)
    paced_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"calls of {self.connection_id}"
