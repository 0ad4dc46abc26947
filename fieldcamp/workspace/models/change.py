"""The change log: one row for each saved change of a record that is synced, in the record's own transaction."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Change(models.Model):
    """What was changed on one record, by whom. Rows are never coalesced and never updated.

    `origin` names the stream that a pull came from ("" for a change made in FieldCamp), so that a change is not sent
    back to where it came from. `source` is by what way it came in, `integration` and `job` are those of a sync; none of
    them is there in rows that are older than they are.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("Created")
        UPDATED = "updated", _("Updated")
        DELETED = "deleted", _("Deleted")

    class Source(models.TextChoices):
        DESK = "desk", _("Desk")
        API = "api", _("API")
        SYNC = "sync", _("Sync")
        SYSTEM = "system", _("FieldCamp itself")

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
    source = models.CharField(max_length=10, choices=Source, blank=True)
    integration = models.CharField(max_length=32, blank=True)
    job = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-seq"]
        indexes = [models.Index(fields=["kind", "record_id", "-seq"], name="change_of_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id} {self.action}"
