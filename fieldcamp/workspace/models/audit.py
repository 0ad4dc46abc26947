"""Who did what to the workspace's keys, connections and settings, and when."""

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One action. `actor` is a person, "API key <name> (key_…)", or "" for FieldCamp itself. Never updated."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["workspace", "-id"], name="audit_of_workspace")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}"
