"""Pairs of records, and what is still to be done about them."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from integrations.kinds import KINDS


class LinkQuerySet(models.QuerySet["Link"]):
    def live(self) -> Self:
        """Returns those that are no history: not cut."""
        return self.filter(cut_at=None)

    def present(self) -> Self:
        """Returns live ones whose remote record was there when it was last looked at."""
        return self.live().filter(seen_gone=False, seen__isnull=False)

    def linked(self) -> Self:
        """Returns those that a record of FieldCamp belongs to."""
        return self.exclude(record_id="")

    def unmatched(self) -> Self:
        """Returns those of remote records that FieldCamp does not have."""
        return self.filter(record_id="")

    def due(self) -> Self:
        """Returns live ones that a run has to look at: something was seen that has not been dealt with, and nobody is
        asked."""
        return self.live().filter(unsettled=True, parked=False)

    def with_intent(self) -> Self:
        """Returns those with a write that was begun and never answered."""
        return self.filter(intent__isnull=False)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, without a word of people who were erased."""
        links = list(objs)
        for link in links:
            link.leave_words_out()
        return super().bulk_create(links, *args, **kwargs)

    def save_many(self, links: Iterable[Any], fields: Sequence[str]) -> None:
        """Writes these columns of links that exist already: an upsert by primary key, which costs a tenth of
        `bulk_update` and its CASE for every column."""
        self.bulk_create(
            links,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*fields, "updated_at"],
        )


class Link(models.Model):
    """One pair: a FieldCamp record and its remote counterpart in one stream (for busy time, the remote event alone).

    `base` is what both sides last agreed on, `seen` the remote side as last observed; both hold the kind's fields and
    nothing else. `unsettled` is set whenever `seen` moves and cleared when a sync has dealt with it, so an edit that
    could not be applied is still there next time. A `cut` link is history: its remote counterpart is gone and the
    record was kept. `intent` is a write that was begun and whose answer has not been saved yet.

    Of an `erased_at` one the record's person was erased: it stays, so that nobody takes the counterpart for a new one,
    and whatever is seen there later, no word of theirs is saved with it.
    """

    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="links")
    kind = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32, blank=True)
    # A busy time's ids are keyed hashes (`integrations.ledger.private`); its own id is in `sealed_id`, encrypted.
    remote_id = models.CharField(max_length=1024)
    sealed_id = models.TextField(blank=True, help_text=_("For what is known by a hash: the id there, encrypted."))
    series_id = models.CharField(
        max_length=1024, blank=True, help_text=_("For one occurrence of a series: the series.")
    )
    generation = models.PositiveIntegerField(default=0)
    base = models.JSONField(null=True, blank=True)
    seen = models.JSONField(null=True, blank=True)
    seen_gone = models.BooleanField(default=False)
    seen_tag = models.CharField(max_length=255, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    unsettled = models.BooleanField(default=False)
    # When a write of ours was last accepted there, and when a change there was last taken over.
    pushed_at = models.DateTimeField(null=True, blank=True)
    pulled_at = models.DateTimeField(null=True, blank=True)
    intent = models.JSONField(null=True, blank=True)
    mark = models.CharField(max_length=40, blank=True)
    hold = models.ForeignKey("integrations.Hold", models.SET_NULL, null=True, blank=True, related_name="links")
    # A refused record or an open conflict waits here until one side is edited, a person decides, or what it was refused
    # for (`refused_under`, a digest of it) is another.
    parked = models.BooleanField(default=False)
    refused_under = models.CharField(max_length=32, blank=True)
    successor = models.CharField(
        max_length=1024, blank=True, help_text=_("What the remote record was merged into, once it is gone.")
    )
    decision = models.JSONField(null=True, blank=True)
    spelled = models.JSONField(
        null=True, blank=True, help_text=_("Digests of texts as the other side has spelled what was sent, by field.")
    )
    cut_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "remote_id"], name="one_link_per_remote_record"),
            models.UniqueConstraint(
                fields=["stream", "kind", "record_id"],
                condition=Q(cut_at=None) & ~Q(record_id=""),
                name="one_link_per_record",
            ),
        ]
        indexes = [
            models.Index(fields=["stream", "id"], condition=Q(unsettled=True), name="link_unsettled"),
            models.Index(fields=["stream", "id"], condition=Q(intent__isnull=False), name="link_intent"),
            models.Index(fields=["stream", "kind"], condition=Q(seen_gone=True), name="link_gone"),
            models.Index(fields=["kind", "record_id"], name="link_of_record"),
            models.Index(fields=["stream", "series_id"], condition=~Q(series_id=""), name="link_of_series"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id or self.remote_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.leave_words_out()
        super().save(*args, **kwargs)

    @property
    def is_present(self) -> bool:
        """Returns the same as `LinkQuerySet.present`."""
        return self.cut_at is None and self.seen is not None and not self.seen_gone

    @property
    def is_due(self) -> bool:
        """Returns the same as `LinkQuerySet.due`."""
        return self.cut_at is None and self.unsettled and not self.parked

    def leave_words_out(self) -> None:
        """Drops what says anything of a person from what is to be saved, if that person was erased."""
        if self.erased_at is None:
            return
        kind = KINDS[self.kind]
        self.base = None if self.base is None else kind.impersonal(self.base)
        self.seen = None if self.seen is None else kind.impersonal(self.seen)
        self.spelled = None
        if self.intent is not None:
            self.intent = {**self.intent, "fields": kind.impersonal(self.intent.get("fields") or {})}
        if self.decision is not None:
            self.decision = {name: value for name, value in self.decision.items() if name != "create"} or None


class DirtyRow(models.Model):
    """A record that a stream has to look at, because it changed in FieldCamp.

    `seq` is the number of the change that made it dirty. A sync deletes the row only where `seq` is still the one it
    read, so an edit made meanwhile stays. (The record's own version would not do: a client's new address makes the
    visit dirty without touching it.)
    """

    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="dirty_rows")
    kind = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32)
    seq = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    # When a person or a client of the API saved it last; `at` is when it became dirty. None: the engine alone wants it
    # looked at.
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "kind", "record_id"], name="one_dirty_row_per_record")]
        indexes = [models.Index(fields=["changed_at", "stream"], name="dirty_lately")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"


class Occurrence(models.Model):
    """One busy time that a remote event makes inside the window. `key` is the same for every copy of a meeting in the
    person's calendars; `workspace.BlockedTime` shows each key once."""

    link = models.ForeignKey(Link, models.CASCADE, related_name="occurrences")
    member = models.ForeignKey("workspace.Member", models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    all_day = models.BooleanField(default=False)
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "key"], name="one_occurrence_per_key"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at")), name="occurrence_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["member", "key"], name="occurrence_of_member")]

    def __str__(self) -> str:
        return self.key
