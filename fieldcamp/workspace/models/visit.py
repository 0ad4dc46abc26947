"""Visits: a technician at a client's, at a time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.models.people import Client, Member, Workspace, validate_timezone
from fieldcamp.workspace.tracking import TrackedModel, list_indexes


class VisitStatus(models.TextChoices):
    """The eight states of a visit; the rules of moving between them are in `workspace.services`."""

    UNSCHEDULED = "unscheduled", _("Unscheduled")
    SCHEDULED = "scheduled", _("Scheduled")
    IN_TRANSIT = "in_transit", _("In transit")
    ARRIVED = "arrived", _("Arrived")
    IN_PROGRESS = "in_progress", _("In progress")
    PAUSED = "paused", _("Paused")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Visit(TrackedModel):
    kind = "visit"
    tracked = (
        "client_id", "technician_id", "title", "notes", "address", "scheduled_start", "scheduled_end", "timezone",
        "visit_status", "deleted_at",
    )  # fmt: skip
    told = ("job_id",)

    id = PrefixedIdField("vis", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="visits")
    client = models.ForeignKey(Client, models.PROTECT, verbose_name=_("client"), related_name="visits")
    technician = models.ForeignKey(
        Member, models.SET_NULL, verbose_name=_("technician"), null=True, blank=True, related_name="visits"
    )
    job_id = models.CharField(_("job id"), max_length=64, blank=True)
    title = models.CharField(_("title"), max_length=200)
    notes = models.TextField(_("notes"), blank=True, max_length=4000)
    address = models.CharField(_("address"), max_length=300, blank=True)
    scheduled_start = models.DateTimeField(_("scheduled start"), null=True, blank=True)
    scheduled_end = models.DateTimeField(_("scheduled end"), null=True, blank=True)
    timezone = models.CharField(_("timezone"), max_length=64, blank=True, validators=[validate_timezone])
    visit_status = models.CharField(
        _("visit status"), max_length=12, choices=VisitStatus, default=VisitStatus.UNSCHEDULED
    )

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["id"]
        indexes = [
            *list_indexes("visit"),
            models.Index(fields=["technician", "scheduled_start"], name="visit_schedule"),
            models.Index(fields=["technician", "scheduled_end", "scheduled_start"], name="visit_ends"),
            models.Index(fields=["workspace", "-scheduled_start", "-id"], name="visit_list"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        """Returns whether it is completed or cancelled, and so not moved any more."""
        return self.visit_status in (VisitStatus.COMPLETED, VisitStatus.CANCELLED)
