"""The calls behind a record: what was sent to a provider about it, and what that has answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from fieldcamp.ids import PrefixedIdField


class CallPurpose(models.TextChoices):
    """What a call was made for, as far as one record is concerned."""

    LIST = "list", _("Listed")  # a page of a listing that had news of it
    LOOK = "look", _("Looked up")  # it was asked for by itself
    CREATE = "create", _("Created")
    UPDATE = "update", _("Updated")
    DELETE = "delete", _("Removed")


class RecordCall(models.Model):
    """One call to a provider that was about one record: neither headers, query, bodies nor anything of other records
    that were in it. Its id is made of `at`, so that ids are in the order of the calls.

    `record_id` is empty where a listing named what FieldCamp did not have yet; it belongs to the record whose link in
    the stream has this `remote_id`. `job` is the sync job's id, empty where a reader of the change feed has looked.
    `status` is that of HTTP, or a word for what went wrong; `trace` the provider's own name for the exchange. `part` is
    this record's share of a batch: {"method", "path", "status"}. `request` and `response` are fields of the record, by
    the names of its kind (`integrations.kinds`), shortened and without secrets; None where none went, or where that try
    had no answer. `error` is {"code", "message", "detail"} of a refusal.
    """

    id = PrefixedIdField("cal")
    stream = models.ForeignKey("integrations.Stream", models.CASCADE, related_name="record_calls", db_index=False)
    job = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=20)
    record_id = models.CharField(max_length=32, blank=True)
    remote_id = models.CharField(max_length=1024, blank=True)
    purpose = models.CharField(max_length=10, choices=CallPurpose)
    at = models.DateTimeField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    status = models.CharField(max_length=40)
    ms = models.PositiveIntegerField()
    trace = models.CharField(max_length=100, blank=True)
    part = models.JSONField(null=True, blank=True)
    request = models.JSONField(null=True, blank=True)
    response = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["record_id", "-id"], name="calls_of_a_record"),
            models.Index(fields=["stream", "remote_id", "-id"], name="calls_of_a_counterpart"),
            models.Index(fields=["at"], name="record_calls_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
