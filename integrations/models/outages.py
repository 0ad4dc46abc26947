"""Vendors that fail for everybody at once, and who was told of it."""

from django.db import models
from django.db.models import Q


class VendorOutage(models.Model):
    """One time in which a vendor fails for many accounts. At most one of a vendor's is open (`closed_at`).

    `ended_at`: accounts are let in again, which has to last for a while before anybody is told; if it does not, the
    outage goes on.
    """

    integration = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # Both are claims: set before the mail to the operators is sent.
    operators_told_at = models.DateTimeField(null=True, blank=True)
    operators_over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration"], condition=Q(closed_at=None), name="one_open_outage_per_vendor"
            )
        ]

    def __str__(self) -> str:
        return f"{self.integration} {self.began_at}"


class OutageMail(models.Model):
    """What one company was told of an outage. Made before the mail is sent: the row is the claim, and `over_at` that
    of the second mail."""

    outage = models.ForeignKey(VendorOutage, models.CASCADE, related_name="mails")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    told_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outage", "workspace"], name="one_mail_per_outage")]

    def __str__(self) -> str:
        return f"{self.workspace_id} of {self.outage_id}"
