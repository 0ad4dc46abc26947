"""The address of a company's chat, and what waits to be said there: Slack's incoming webhooks, and what takes the
same."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.encryption import EncryptedField


class ChatAddress(models.Model):
    """Where a company's notices are said beside the mails. Whoever knows the address may write there, so it is kept
    encrypted and shown as `host` and its last characters alone.

    `off` are the kinds of notices that are not said. `last_status`, `last_error` are those of the last try that failed,
    at `failed_at`; empty once something was accepted."""

    workspace = models.OneToOneField("workspace.Workspace", models.CASCADE, related_name="chat_address")
    url = EncryptedField()
    host = models.CharField(_("host"), max_length=255)
    hint = models.CharField(max_length=8)
    off = models.JSONField(default=list)
    created_by = models.CharField(_("created by"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=20, blank=True)
    # The Monday of the last week that was told of: the claim of the weekly summary.
    told_week = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("chat address")
        verbose_name_plural = _("chat addresses")

    def __str__(self) -> str:
        return self.host


class ChatMessage(models.Model):
    """A sentence that waits to be said; it goes when it was taken, or is too old. `next_at` is its claim, too: whoever
    moves it on from what it was says it."""

    address = models.ForeignKey(ChatAddress, models.CASCADE, related_name="messages")
    text = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="chat_messages_due")]

    def __str__(self) -> str:
        return f"{self.pk} to {self.address_id}"
