"""Times at which a technician cannot be booked, as their own calendars say."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models.people import Member, Workspace


class BlockedTime(models.Model):
    """Busy time of one person: when, and nothing else (no title, no text, no place).

    One meeting is one row, also when it stands in several of the person's calendars: `key` is the meeting's iCalendar
    UID and its times: a copy that stands at another time is another meeting. All-day times keep their dates, `end_date`
    exclusive, and never pass through UTC.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="blocked_times")
    member = models.ForeignKey(Member, models.CASCADE, verbose_name=_("member"), related_name="blocked_times")
    key = models.CharField(max_length=64)
    starts_at = models.DateTimeField(
        _("starts at"), help_text=_("For all-day times: midnight in the calendar's time zone.")
    )
    ends_at = models.DateTimeField(_("ends at"))
    all_day = models.BooleanField(_("all day"), default=False)
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("blocked time")
        verbose_name_plural = _("blocked times")
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="one_block_per_meeting"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at")), name="block_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["member", "starts_at", "ends_at"], name="blocked_when")]

    def __str__(self) -> str:
        return gettext("{person} busy").format(person=self.member)
