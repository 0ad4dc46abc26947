"""The change log: one row for each saved change of a record that is synced, in the record's own transaction."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Change(models.Model):
    """What was changed on one record, by whom. Rows are never coalesced and never updated.

    `origin` names the stream that a pull came from ("" for a change made in FieldCamp), so that a change is not sent
    back to where it came from.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("Created")
        UPDATED = "updated", _("Updated")
        DELETED = "deleted", _("Deleted")

    seq = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32)
    version = models.PositiveIntegerField()
    action = models.CharField(max_length=10, choices=Action)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    origin = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-seq"]
        indexes = [models.Index(fields=["kind", "record_id", "-seq"], name="change_of_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id} {self.action}"
