"""What a dry run has found that a sync would do."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField


class Plan(models.Model):
    """What one dry run has come to: `counts` by what is done, `money` by currency, and the operations in their order.

    `standing` is what was dirty when it was made: {stream id: {record id: number of its change}}.
    `applied_by` is the job that was started to apply it, the first and only one.
    """

    id = PrefixedIdField("pln")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="plans")
    integration = models.CharField(max_length=32)
    job = models.OneToOneField("integrations.SyncJob", models.CASCADE, related_name="plan")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    money = models.JSONField(default=dict)
    standing = models.JSONField(default=dict)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=200, blank=True)
    applied_by = models.ForeignKey(
        "integrations.SyncJob", models.SET_NULL, null=True, blank=True, related_name="applies_plan"
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["expires_at"], name="plans_by_age")]

    def __str__(self) -> str:
        return self.id

    @property
    def is_complete(self) -> bool:
        """Returns whether all accounts have been looked at."""
        return "operations" in self.counts


class PlanOperation(models.Model):
    """One thing that a plan does to one record at one side. Both halves of a merge are rows of their own; `decided` is
    what was decided of the pair, which both then share, with the ids in it that are still to be made."""

    class Action(models.TextChoices):
        CREATE = "create", _("Create")
        UPDATE = "update", _("Change")
        DELETE = "delete", _("Remove")
        LINK = "link", _("Link")
        UNLINK = "unlink", _("Cut loose")

    class Side(models.TextChoices):
        FIELDCAMP = "fieldcamp", _("FieldCamp")
        PROVIDER = "provider", _("the other side")

    id = PrefixedIdField("plo")
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="operations")
    number = models.PositiveIntegerField()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="+")
    action = models.CharField(_("action"), max_length=8, choices=Action)
    side = models.CharField(_("side"), max_length=10, choices=Side)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=1024)
    record_id = models.CharField(max_length=32, blank=True)
    remote_id = models.CharField(max_length=1024, blank=True)
    fields = models.JSONField(default=dict)
    decided = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("planned operation")
        verbose_name_plural = _("planned operations")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="one_operation_per_number")]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.key}"
