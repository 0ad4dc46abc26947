"""Who did what to the workspace's keys, connections and settings, and when."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One action. `actor` is a person, "API key <name> (key_…)", or "" for FieldCamp itself. Never updated."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=40)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    object_name = models.CharField(_("object name"), max_length=255, blank=True)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_of_workspace"),
            models.Index(fields=["object_id", "-id"], condition=~models.Q(object_id=""), name="audit_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}"
