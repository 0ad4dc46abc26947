"""The change feed: what people changed at the provider, in the order in which we took it in."""

from django.db import models


class ChangeAction(models.TextChoices):
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class ChangeRow(models.Model):
    """One change. Append-only; `seq` is taken from the integration's counter row under its lock."""

    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    integration = models.CharField(max_length=32)
    seq = models.BigIntegerField()
    connection = models.ForeignKey("integrations.Connection", models.SET_NULL, null=True, related_name="+")
    stream = models.ForeignKey("integrations.Stream", models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=8)
    kind = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32, blank=True)
    remote_id = models.CharField(max_length=1024)
    shown = models.JSONField(null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "integration", "seq"], name="one_feed_row_per_number")
        ]
        indexes = [
            models.Index(fields=["workspace", "integration", "changed_at", "seq"], name="feed_since"),
            models.Index(fields=["changed_at"], name="feed_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.remote_id}"
