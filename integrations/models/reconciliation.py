"""Whether a company's books agree: the last verdict, and readings of the books that reports share."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reconciliation(models.Model):
    """The last verdict about one company's books, over the days that were chosen for it.

    `as_of` is the moment that it is true of; `by_reading` says that the books were asked then, and not only compared as
    they were last seen. `amount` is what the differences come to, each by its size. `read_at` is when they were last
    read in full; `entries` is what journal entries and their like came to then on the customers' accounts, and
    `balances` are the customers who owed something else then than their documents come to
    (`reconciliation.balances.BalanceGap`, as JSON).
    """

    connection = models.OneToOneField("integrations.Connection", models.CASCADE, related_name="reconciliation")
    as_of = models.DateTimeField()
    by_reading = models.BooleanField(default=False)
    invoices = models.PositiveIntegerField(default=0)
    open_here = models.DecimalField(max_digits=17, decimal_places=2, default=0)
    differences = models.PositiveIntegerField(default=0)
    amount = models.DecimalField(max_digits=17, decimal_places=2, default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    entries = models.DecimalField(max_digits=17, decimal_places=2, default=0)
    balances = models.JSONField(default=list)

    class Meta:
        verbose_name = verbose_name_plural = _("reconciliation")

    def __str__(self) -> str:
        return f"books of {self.connection_id}"


class AcceptedBalance(models.Model):
    """Somebody has said that a customer's balance in the books is meant to be `amount` more than the documents come to,
    for this cause (`reconciliation.causes.Cause`). With another amount it is asked again."""

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="accepted_balances")
    cause = models.CharField(max_length=20)
    customer = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=17, decimal_places=2)
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "cause", "customer"], name="one_accepted_balance")]

    def __str__(self) -> str:
        return f"{self.cause} of {self.customer}"


class BooksReadingQuerySet(models.QuerySet["BooksReading"]):
    def finished(self) -> Self:
        """Returns those that have everything."""
        return self.filter(finished_at__isnull=False)

    def unfinished(self) -> Self:
        return self.filter(finished_at=None)


class BooksReading(models.Model):
    """All invoices and payments of one company as the books listed them, for every report of the next minutes.

    It is read page by page, by whoever holds its `claim` until `claimed_until`; `cursors` say where each container goes
    on, by its id. What it says is true as of `as_of`. `gone_customers` are customers that documents were moved off and
    that the books do not have any more; `credits` are `OpenCredit`s, `balances` `CustomerBalance`s and
    `entries` `OtherEntry`s, as of then.
    """

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="readings")
    began_at = models.DateTimeField()
    as_of = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cursors = models.JSONField(default=dict)
    gone_customers = models.JSONField(default=list)
    credits = models.JSONField(default=list)
    balances = models.JSONField(default=list)
    entries = models.JSONField(default=list)
    records = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=40, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = BooksReadingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(finished_at=None), name="one_unfinished_reading"
            )
        ]

    def __str__(self) -> str:
        return f"books of {self.connection_id}"


class ReadingPage(models.Model):
    """Some records of one reading: `{"id", "gone", "for", …}` with the kind's amounts, days and names."""

    reading = models.ForeignKey(BooksReading, models.CASCADE, related_name="pages")
    kind = models.CharField(max_length=20)
    records = models.JSONField(default=list)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.kind
