"""What webhooks keep: events, where they are sent, and what became of each delivery."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.encryption import EncryptedField
from fieldcamp.ids import PrefixedIdField
from fieldcamp.webhooks.event_types import API_VERSION


class WebhookEvent(models.Model):
    """One thing that happened, written in the transaction in which it did.

    `body` is the JSON that every delivery sends, byte for byte. `sequence` numbers the events of a workspace when they
    are handed to its endpoints (`fanned_out_at`), not when they are written: transactions do not commit in the order of
    any number that they take.
    """

    class Source(models.TextChoices):
        API = "api", _("API")
        DESK = "desk", _("desk")
        SYNC = "sync", _("sync")
        SYSTEM = "system", _("FieldCamp")

    id = PrefixedIdField("evt")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="webhook_events")
    type = models.CharField(_("type"), max_length=40)
    record_id = models.CharField(max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=8, choices=Source)
    # Whether anything moved: a sync in which nothing did is of no interest to most.
    has_changes = models.BooleanField(default=True)
    is_test = models.BooleanField(default=False)
    body = models.BinaryField()
    sequence = models.BigIntegerField(null=True, blank=True)
    fanned_out_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("happened"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["created_at"], condition=Q(fanned_out_at=None), name="events_to_fan_out"),
            models.Index(fields=["workspace", "sequence"], name="events_of_workspace"),
            models.Index(fields=["workspace", "record_id"], name="events_of_record"),
            models.Index(fields=["created_at"], name="events_by_age"),
        ]

    def __str__(self) -> str:
        return self.type


class EventCounter(models.Model):
    """The number of a workspace's last event, taken under this row's lock."""

    workspace = models.OneToOneField(
        "workspace.Workspace", models.CASCADE, primary_key=True, related_name="event_counter"
    )
    last = models.BigIntegerField(default=0)
    # Up to here events have been pruned: a cursor behind it is told so.
    pruned_to = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.last}"


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def receiving(self) -> Self:
        """Returns those that new events are queued for. A paused one's events wait, a disabled one's are not queued."""
        return self.filter(status__in=RECEIVING, deleted_at=None)

    def alive(self) -> Self:
        return self.filter(deleted_at=None)


class WebhookEndpointManager(models.Manager["WebhookEndpoint"]):
    """Reads endpoints without their secrets, which a lost encryption key makes unreadable: only who signs needs them,
    and reads them then."""

    def get_queryset(self) -> WebhookEndpointQuerySet:
        return WebhookEndpointQuerySet(self.model, using=self._db).defer("secret", "previous_secret")

    def receiving(self) -> WebhookEndpointQuerySet:
        return self.get_queryset().receiving()

    def alive(self) -> WebhookEndpointQuerySet:
        return self.get_queryset().alive()


class WebhookEndpoint(models.Model):
    """An address that events are sent to.

    `scopes` are those of the key or person that made it: a pattern such as `visit.*` means the types that these allow,
    and the rotation of the key changes nothing. `chosen_by_keys` are the ids of the keys that made it, or chose where
    and what is sent since: whoever revokes one of them is told of the endpoint. `failures` counts failed deliveries in
    a row, `failing_since` is when the first of them failed; `probe_at` is when a failing one is tried next.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waits for a test delivery that is accepted")
        ENABLED = "enabled", _("Enabled")
        FAILING = "failing", _("Failing")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled")

    class Payload(models.TextChoices):
        FULL = "full", _("The whole record")
        THIN = "thin", _("Its id only")

    id = PrefixedIdField("whk")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(_("URL"), max_length=2048)
    events = models.JSONField(_("events"), default=list)
    description = models.CharField(_("description"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    disabled_reason = models.CharField(max_length=40, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    api_version = models.CharField(max_length=10, default=API_VERSION)
    payload = models.CharField(_("payload"), max_length=4, choices=Payload, default=Payload.FULL)
    only_changed = models.BooleanField(_("leave out syncs that changed nothing"), default=True)
    sources = models.JSONField(_("sources"), default=list, help_text=_("None chosen: all of them."))
    max_per_second = models.PositiveSmallIntegerField(_("deliveries a second, at most"), default=20)
    scopes = models.JSONField(default=list)
    secret = EncryptedField()
    previous_secret = EncryptedField(blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    secret_hint = models.CharField(max_length=8, blank=True)
    made_by_key = models.ForeignKey("api.ApiKey", models.SET_NULL, null=True, blank=True, related_name="webhooks")
    chosen_by_keys = models.JSONField(default=list, blank=True)
    created_by = models.CharField(_("created by"), max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    probes = models.PositiveSmallIntegerField(default=0)
    # Which mails of the present failure have gone out: "failing", "ending". The latter says `disable_at`.
    told = models.JSONField(default=list, blank=True)
    disable_at = models.DateTimeField(null=True, blank=True)
    paced_until = models.DateTimeField(null=True, blank=True)
    # What it missed while it was disabled (missing.py): what was skipped since then, and the events with numbers after
    # that one, up to that one (None: up to now). Empty where it has missed nothing, was sent it, or nobody wanted it.
    missed_since = models.DateTimeField(null=True, blank=True)
    missed_after = models.BigIntegerField(null=True, blank=True)
    missed_until = models.BigIntegerField(null=True, blank=True)
    last_delivered_at = models.DateTimeField(_("last success"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WebhookEndpointManager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="webhooks_of_workspace")]

    def __str__(self) -> str:
        # Many put a password behind the question mark, and names stand in lists and logs.
        return self.url.partition("?")[0]


RECEIVING = (WebhookEndpoint.Status.ENABLED, WebhookEndpoint.Status.FAILING, WebhookEndpoint.Status.PAUSED)


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. `next_at` is when it is tried next; who tries it holds the lease."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENDING = "sending", _("Being sent")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Not sent")

    id = PrefixedIdField("dlv")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    lease_owner = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    replay_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replays")
    last_status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    last_error = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "endpoint"], condition=Q(replay_of=None), name="one_delivery_of_an_event"
            )
        ]
        indexes = [
            models.Index(F("endpoint"), F("state"), F("next_at"), name="deliveries_due"),
            # With the state in it a day is counted without a look at the rows.
            models.Index(fields=["endpoint", "-created_at", "-id", "state"], name="deliveries_of_endpoint"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="deliveries_leased"),
            models.Index(fields=["finished_at"], name="deliveries_by_age"),
        ]

    def __str__(self) -> str:
        return self.event.type


class DeliveryAttempt(models.Model):
    """One try of a delivery: what was answered, how long it took. `error` is one of our words where nothing was."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=20, blank=True)
    excerpt = models.CharField(max_length=1024, blank=True)

    class Meta:
        ordering = ["delivery", "number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_attempt_of_a_number")]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}"


class DeliveryTotal(models.Model):
    """How many attempts have come to this, since ever, and how long they took together."""

    outcome = models.CharField(max_length=20, primary_key=True)
    count = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.outcome} {self.count}"
