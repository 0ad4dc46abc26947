"""Jobs: the database is the truth, the queue is only a doorbell."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.ids import PrefixedIdField
from integrations.providers import PROVIDERS


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    PARTIAL = "partial", _("Done, some wait")
    FAILED = "failed", _("Failed")
    NEEDS_CONFIRMATION = "needs_confirmation", _("Waits for your answer")
    PLANNED = "planned", _("Planned")
    CANCELLED = "cancelled", _("Cancelled")


IN_FLIGHT = (JobStatus.QUEUED, JobStatus.RUNNING)
# The same as a condition with its values written out: SQLite uses a partial index for nothing else, and without one
# looks through all jobs. https://www.sqlite.org/partialindex.html#queries_using_partial_indexes
IS_IN_FLIGHT = RawSQL("integrations_syncjob.status IN ('queued', 'running')", (), models.BooleanField())


class SyncJobQuerySet(models.QuerySet["SyncJob"]):
    def in_flight(self) -> Self:
        """Returns those that are queued or running."""
        return self.filter(status__in=IN_FLIGHT)

    def ended(self) -> Self:
        return self.exclude(status__in=IN_FLIGHT)


class SyncJob(models.Model):
    """One run of one integration of one workspace, with everything that is known of it.

    A worker owns a job while `lease_owner` is its own token and `lease_until` lies ahead; every write of the run is
    conditional on that. `only` narrows a job to some links (a person's decision about them). A `dry_run` does nothing
    but make a plan; `applies` is the id of the plan that a job does, and nothing else.
    """

    class Mode(models.TextChoices):
        INCREMENTAL = "incremental", _("Changes")
        FULL = "full", _("Everything")

    class Trigger(models.TextChoices):
        API = "api", _("API")
        ADMIN = "admin", _("a person")
        SCHEDULE = "schedule", _("schedule")
        PUSH = "push", _("vendor's notice")

    id = PrefixedIdField("syn")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="sync_jobs")
    integration = models.CharField(max_length=32)
    mode = models.CharField(_("mode"), max_length=12, choices=Mode, default=Mode.INCREMENTAL)
    scope = models.CharField(max_length=20, blank=True)
    connection = models.ForeignKey("integrations.Connection", models.SET_NULL, null=True, blank=True, related_name="+")
    only = models.JSONField(null=True, blank=True)
    # It was made for some accounts, whose parts it has had from the start: pushed, or with records saved.
    narrowed = models.BooleanField(default=False)
    dry_run = models.BooleanField(default=False)
    applies = models.CharField(max_length=32, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=JobStatus, default=JobStatus.QUEUED)
    triggered_by = models.CharField(_("triggered by"), max_length=10, choices=Trigger)
    actor = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    run_after = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # When a slice of it last came further.
    progressed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # How far it was, in records and in percent, when `total` was told last: what is shown goes on from there.
    measured_from = models.PositiveIntegerField(default=0)
    measured_percent = models.PositiveSmallIntegerField(default=0)
    pulled = models.PositiveIntegerField(default=0)
    pushed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list)

    objects = SyncJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "integration"],
                condition=Q(status__in=["queued", "running"]),
                name="one_job_in_flight",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "integration", "-created_at"], name="job_history"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="job_list"),
            models.Index(fields=["workspace", "status", "-created_at", "-id"], name="job_by_status"),
            models.Index(fields=["created_at"], condition=Q(status__in=["queued", "running"]), name="job_in_flight"),
        ]

    def __str__(self) -> str:
        """Returns `Google Calendar, Fri 27 Nov, 21:00:14`."""
        return f"{self.label}, {formats.precise(self.created_at)}"

    @property
    def label(self) -> str:
        """Returns the provider's name."""
        return PROVIDERS[self.integration].label if self.integration in PROVIDERS else self.integration

    @property
    def in_flight(self) -> bool:
        return self.status in IN_FLIGHT

    @property
    def leaves(self) -> bool:
        """Returns whether it takes our events out of accounts that are being left: that is no part of a plan."""
        return not (self.dry_run or self.applies)


class JobDirection(models.TextChoices):
    """What a run covered, as the status says it."""

    PULL = "pull"
    PUSH = "push"
    BIDIRECTIONAL = "bidirectional"


# Under this name a part's progress says what was done when: {stream id: `ledger.story.StreamStory`}.
STORY = "story"


class JobPartQuerySet(models.QuerySet["JobPart"]):
    def of_syncs(self) -> Self:
        """Returns those of jobs that went for all of an account: single records do not, nor does a dry run, nor a plan
        that was not applied because something had moved."""
        whole = self.filter(job__only__isnull=True, job__dry_run=False)
        return whole.exclude(job__applies__gt="", status=JobPart.Status.FAILED, error__isnull=True)


class JobPart(models.Model):
    """What a job does for one connection. An account that fails fails alone."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        HELD = "held", _("Waits for your answer")  # done, but removals wait for a person
        PARTIAL = "partial", _("Done in part")  # some of its calendars failed
        FAILED = "failed", _("Failed")

    OVER = (Status.DONE, Status.HELD, Status.PARTIAL, Status.FAILED)

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="parts")
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="job_parts")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    # What has been done of each stream, so that the next slice goes on there: {stream id: {...}}
    progress = models.JSONField(default=dict)
    direction = models.CharField(max_length=14, blank=True)
    error = models.JSONField(null=True, blank=True)
    # What became of its records, when the job has ended.
    pulled = models.PositiveIntegerField(default=0)
    pushed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    objects = JobPartQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "connection"], name="one_part_per_connection")]

    def __str__(self) -> str:
        return f"{self.job_id} for {self.connection_id}"


class Outcome(models.TextChoices):
    PULLED = "pulled", _("Taken in")
    PUSHED = "pushed", _("Sent")
    SKIPPED = "skipped", _("Skipped")
    FAILED = "failed", _("Failed")


class JobItem(models.Model):
    """What became of one record in one job: exactly one outcome per connection. The counts are sums of these rows."""

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="items")
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=1024, help_text=_("The record's id, or the remote id where there is no record."))
    record_id = models.CharField(max_length=32, blank=True)
    remote_id = models.CharField(max_length=1024, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome)
    action = models.CharField(max_length=20, blank=True)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "connection", "kind", "key"], name="one_outcome_per_record")
        ]
        indexes = [
            models.Index(fields=["job", "outcome", "id"], name="items_by_outcome"),
            models.Index(fields=["job", "kind", "connection", "outcome"], name="items_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.outcome}"


class Heartbeat(models.Model):
    """A sign of life, written by a task that went through the queue: a deadlocked cluster cannot write it."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
