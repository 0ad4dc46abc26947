"""How many calls an account has made, lately and day by day, shared by all processes."""

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


class DailyCalls(models.Model):
    """One connection's calls of one day (UTC): all of them by whether they read or write, as how many its provider
    counts them (`counted`: each part of a batch is one, where it is so there), and how many of them it bills
    (`metered`) or, as far as it has said, may bill (`unsettled`). Rows are added to, never replaced."""

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="daily_calls")
    day = models.DateField()
    reads = models.PositiveIntegerField(default=0)
    writes = models.PositiveIntegerField(default=0)
    counted = models.PositiveIntegerField(default=0)
    metered = models.PositiveIntegerField(default=0)
    unsettled = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "day"], name="one_row_per_day")]
        indexes = [models.Index(fields=["day"], name="calls_of_a_day")]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.day}"


class JobCall(models.Model):
    """One call of a job to a provider, for that provider's support: no query, no body, no secret. `trace` is the
    provider's own name for the exchange; `status` that of HTTP, or a word for what went wrong."""

    job = models.ForeignKey("integrations.SyncJob", models.CASCADE, related_name="calls")
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    at = models.DateTimeField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=300)
    status = models.CharField(max_length=40)
    ms = models.PositiveIntegerField()
    trace = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="job_calls_by_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
