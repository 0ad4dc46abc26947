"""What the API platform keeps: keys, counters of calls, and first answers to requests with an Idempotency-Key."""

from collections.abc import Sequence

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.api.scopes import validate_scopes
from fieldcamp.ids import PrefixedIdField


class ApiKey(models.Model):
    """A key of one workspace. The secret itself is nowhere: `digest` is its HMAC under the pepper.

    `prefix` is the public part of the secret and stays when the key is rotated; the secret before the rotation is
    good until `previous_until`. `made_by` is the key that made it, if a key did: it may never do more than that one.
    """

    id = PrefixedIdField("key")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=32, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    previous_digest = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, validators=[validate_scopes])
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    rate_limit_override = models.PositiveIntegerField(
        _("rate limit override"), null=True, blank=True, help_text=_("Calls a minute. Empty: the usual 100.")
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(_("created by"), max_length=200, blank=True, editable=False)
    made_by = models.ForeignKey("self", models.CASCADE, null=True, blank=True, editable=False, related_name="made")
    member = models.ForeignKey(
        "workspace.Member", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    expiry_warned_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Set on the key of a request that was signed with the secret before the last rotation.
    used_previous_secret = False
    # Set on the key of a request: the keys that it comes from, its maker first.
    makers: "Sequence[ApiKey]" = ()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="keys_of_workspace")]

    def __str__(self) -> str:
        return self.name


class RateWindow(models.Model):
    """Calls of one key in one minute, or of one workspace on one day: `<key or workspace id>:<start>`."""

    id = models.CharField(primary_key=True, max_length=64)
    ends_at = models.BigIntegerField(help_text=_("Unix seconds."))
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.id} {self.used}"


class IdempotencyRecord(models.Model):
    """The first answer to a request with an Idempotency-Key, to be repeated byte for byte.

    `status` 0 is a request that is still being worked on. Only its own transaction ever sees that, but where another
    server is asked meanwhile and none is open, and for a batch (`api.batches`), whose items have rows of their own and
    which a repeat takes up again.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_answer_per_idempotency_key")]

    def __str__(self) -> str:
        return self.key
