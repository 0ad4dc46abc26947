"""Open problems, and removals that wait for a person."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField


class ProblemQuerySet(models.QuerySet["Problem"]):
    def open(self) -> Self:
        """Returns those that are not solved yet, ignored or not."""
        return self.filter(resolved_at=None)

    def ignored(self) -> Self:
        return self.open().filter(ignored_at__isnull=False)

    def listed(self) -> Self:
        """Returns open ones that somebody should do something about: neither ignored nor merely good to know."""
        return self.open().filter(notice=False, ignored_at=None)

    def notices(self) -> Self:
        """Returns open ones that are merely good to know, and that nobody has put away."""
        return self.open().filter(notice=True, ignored_at=None)


class Problem(models.Model):
    """One problem, from the moment it is seen until it is gone. `status` prints the open ones, newest first.

    At most one is open for each (connection, code, record). `notice` marks what a person should know but nobody must
    repair; it is not among the errors. `tell_at` is when integrators are told of it if it is still open (None: they are
    not), `told_at` when they were.
    """

    id = PrefixedIdField("prb")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="problems")
    integration = models.CharField(max_length=32)
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="problems", null=True)
    link = models.ForeignKey("integrations.Link", models.SET_NULL, null=True, blank=True, related_name="problems")
    code = models.CharField(max_length=32)
    record_kind = models.CharField(max_length=20, blank=True)
    record_id = models.CharField(max_length=1024, blank=True)
    message = models.CharField(_("message"), max_length=500)
    detail = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    notice = models.BooleanField(default=False)
    # As what it was met last: {"seq": of our record's edit, "tag": the counterpart's version}. One that is ignored
    # wakes when either side has been edited since, or something else is said of it.
    met_as = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    ignored_at = models.DateTimeField(null=True, blank=True)
    ignored_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    tell_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "code", "record_kind", "record_id"],
                condition=Q(resolved_at=None),
                name="one_open_problem",
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace", "integration", "-occurred_at"],
                condition=Q(resolved_at=None),
                name="open_problems",
            ),
            models.Index(fields=["workspace", "-occurred_at", "-id"], name="problem_list"),
            models.Index(fields=["tell_at"], condition=Q(resolved_at=None, told_at=None), name="problems_to_tell"),
        ]

    def __str__(self) -> str:
        return self.message


class Hold(models.Model):
    """Removals of one stream that a sync did not dare to make. Its links wait until a person decides."""

    class Decision(models.TextChoices):
        CONFIRM = "confirm", _("Leave them removed")
        REJECT = "reject", _("Put the events back")

    id = PrefixedIdField("hld")
    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="holds")
    job = models.ForeignKey("integrations.SyncJob", models.SET_NULL, null=True, related_name="holds")
    removals = models.PositiveIntegerField()
    of = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    decision = models.CharField(max_length=8, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    # The links that were left removed: what a person may take back for a while.
    left_removed = models.JSONField(default=list, editable=False)
    # The job that was started to carry the decision out; where another was running, that one's successor does.
    decided_job = models.ForeignKey("integrations.SyncJob", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["stream"], condition=Q(decision=""), name="one_open_hold_per_stream")
        ]

    def __str__(self) -> str:
        return f"{self.removals} of {self.of} removals in {self.stream_id}"
