"""How vendors tell that something changed: channels, marks that make streams due, and a log of seven days."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PushChannel(models.Model):
    """One channel (Google) or subscription (Microsoft Graph) that a vendor tells us through of one stream.

    The row is written before the vendor is asked, so that no channel is unknown after a lost answer. `secret_digest` is
    the SHA-256 of what the vendor repeats in each message; the secret itself is kept nowhere.
    """

    class State(models.TextChoices):
        OPENING = "opening", _("Opening")
        LIVE = "live", _("Working")
        RETIRING = "retiring", _("Being replaced")
        STOPPED = "stopped", _("Stopped")
        LOST = "lost", _("Lost")
        UNSUPPORTED = "unsupported", _("Not offered by the vendor")

    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="channels")
    integration = models.CharField(max_length=32)
    channel_id = models.CharField(max_length=100)
    secret_digest = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.OPENING)
    expires_at = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    last_push_at = models.DateTimeField(_("last push"), null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["integration", "channel_id"], name="one_push_channel"),
            models.UniqueConstraint(fields=["stream"], condition=Q(state="opening"), name="one_channel_being_opened"),
        ]
        indexes = [
            models.Index(fields=["renew_at"], condition=Q(renew_at__isnull=False), name="push_channels_to_renew"),
        ]

    def __str__(self) -> str:
        return f"{self.integration} {self.channel_id}"


class PushMark(models.Model):
    """What pushes have made of one stream: when it is due, when the last one came, how many were missed.

    A run takes `due_at` away only where it knew of the push when it began: one that comes during a run makes another,
    whatever the clocks of the machines say that receive pushes and run jobs.
    """

    stream = models.OneToOneField("integrations.Stream", models.CASCADE, primary_key=True, related_name="push_mark")
    due_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    pushes = models.PositiveIntegerField(default=0)
    # When the last run began, which knows of all that was pushed by then; null where something has been pushed since.
    taken_at = models.DateTimeField(null=True, blank=True)
    # Until when no push starts a run of its account: one has just been started.
    rests_until = models.DateTimeField(null=True, blank=True)
    # Runs in a row that have failed here, and until when none is started for this stream's sake.
    failures = models.PositiveSmallIntegerField(default=0)
    backs_off_until = models.DateTimeField(null=True, blank=True)
    # When a run wrote there last: what is pushed right after it is probably its echo.
    written_at = models.DateTimeField(null=True, blank=True)
    # By when a push is to have come: the echo of a write, or one of a change that was found without it.
    owed_by = models.DateTimeField(null=True, blank=True)
    missed = models.PositiveSmallIntegerField(default=0)
    missed_at = models.DateTimeField(null=True, blank=True)  # the last one
    missed_since = models.DateTimeField(null=True, blank=True)
    # The last of the feed's numbers that has been held against what was pushed.
    news_seq = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="pushed_streams_due"),
            models.Index(fields=["owed_by"], condition=Q(owed_by__isnull=False), name="pushes_owed"),
        ]

    def __str__(self) -> str:
        return f"push mark of {self.stream_id}"


class ReceivedPush(models.Model):
    """One message of a vendor's that was believed, kept seven days: for the desk, and so that repeated ones are counted
    once. `kinds` says what it named (`exists`, `updated`, `qbo.invoice.updated`); nothing of its contents is kept."""

    integration = models.CharField(max_length=32)
    connection = models.ForeignKey(
        "integrations.Connection", models.CASCADE, null=True, blank=True, related_name="received_pushes"
    )
    stream = models.ForeignKey("integrations.Stream", models.CASCADE, null=True, blank=True, related_name="+")
    message_id = models.CharField(max_length=120, blank=True)
    kinds = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField(db_index=True)
    job = models.ForeignKey("integrations.SyncJob", models.SET_NULL, null=True, blank=True, related_name="pushes")

    class Meta:
        indexes = [models.Index(fields=["connection", "-received_at"], name="pushes_of_connection")]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "connection", "message_id"],
                condition=~Q(message_id=""),
                name="one_received_push",
            )
        ]

    def __str__(self) -> str:
        return f"{self.integration} {self.message_id}"
