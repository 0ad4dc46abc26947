"""Who did what to the workspace's keys, connections, people and settings, and when."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One action. `actor` is a person, "API key <name> (key_…)", or "" for FieldCamp itself. Never updated.

    `workspace` is None for what concerns no company, such as an operator's sign-in. `request_id` is ours,
    `caller_request_id` whatever the caller has called the request. `position`, `salt`, `seal` and `digest` are the
    chain's (`fieldcamp.workspace.audit_chain`): None and "" until the action's transaction is over.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=40)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    object_name = models.CharField(_("object name"), max_length=255, blank=True)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    caller_request_id = models.CharField(_("the caller's request id"), max_length=64, blank=True)
    position = models.PositiveBigIntegerField(_("position"), null=True, editable=False)
    salt = models.CharField(max_length=32, blank=True, editable=False)
    seal = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(_("digest"), max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_of_workspace"),
            models.Index(fields=["workspace", "position"], name="audit_chain_of_workspace"),
            models.Index(fields=["object_id", "-id"], condition=~models.Q(object_id=""), name="audit_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}"


class AuditChain(models.Model):
    """Both ends of one company's chain; `scope` is its id, "" for the entries of no company.

    `start` and `start_digest` are those of the last entry that was pruned, `head` and `head_digest` of the newest one.
    """

    scope = models.CharField(max_length=32, primary_key=True)
    start = models.PositiveBigIntegerField(default=0)
    start_digest = models.CharField(max_length=64, blank=True)
    head = models.PositiveBigIntegerField(default=0)
    head_digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.scope}: {self.head}"
