"""Which regular mails have been written, so that nobody gets one twice."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SummaryMail(models.Model):
    """The weekly summary of one week for one person. Made before it is sent: the row is the claim."""

    member = models.ForeignKey("workspace.Member", models.CASCADE, related_name="+")
    week = models.DateField(help_text=_("The Monday that the week began with."))
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "week"], name="one_summary_per_week")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.week}"
