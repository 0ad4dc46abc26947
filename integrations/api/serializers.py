"""The bodies and answers of the sync API. The answers are made by the selectors; these describe them."""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from rest_framework import serializers

from fieldcamp.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from integrations.models import ChangeAction, ConnectionState, JobDirection, JobStatus, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider


class TriggerSerializer(StrictSerializer):
    """The body of a trigger; all of it may be left out."""

    mode = serializers.ChoiceField(
        SyncJob.Mode.choices,
        default=SyncJob.Mode.INCREMENTAL,
        help_text="`full` reads everything again and repairs what differs.",
    )
    connection_id = StrictCharField(
        required=False, max_length=32, help_text="Narrows the sync to one account. Default: every account that works."
    )
    dry_run = StrictBooleanField(
        default=False, help_text="Makes a plan of what a sync would do, and changes nothing at either side."
    )


class EmptySerializer(StrictSerializer):
    """No field at all."""


def trigger_serializer(provider: Provider) -> type[TriggerSerializer]:
    """Returns the trigger's body for this provider: with `scope` where it syncs several kinds of records by name."""
    return _with_scopes(provider.name, provider.sync_scopes) if provider.sync_scopes else TriggerSerializer


def trigger_body(provider: Provider, data: Any) -> dict[str, Any]:
    """Returns the body, checked and with its defaults. ValidationError as any serializer's."""
    return dict(_checked(provider.name, json.dumps(data, sort_keys=True)))


@lru_cache(maxsize=500)
def _checked(provider: str, text: str) -> Mapping[str, Any]:
    # There are hardly more bodies than modes, and checking one takes a tenth of a trigger.
    body = trigger_serializer(PROVIDERS[provider])(data=json.loads(text))
    body.is_valid(raise_exception=True)
    return body.validated_data


@cache
def _with_scopes(name: str, scopes: tuple[str, ...]) -> type[TriggerSerializer]:
    scope = serializers.ChoiceField(
        [(scope, scope) for scope in scopes],
        default=scopes[0],
        help_text="Which records. What they refer to is not synced along: an invoice of a new client waits for it.",
    )
    return type(f"{name.title().replace('_', '')}TriggerSerializer", (TriggerSerializer,), {"scope": scope})


class TriggerAnswerSerializer(serializers.Serializer):
    job_id = serializers.CharField()
    integration = serializers.CharField()
    mode = serializers.ChoiceField(SyncJob.Mode.choices)
    scope = serializers.CharField(required=False, help_text="Only where the integration has scopes.")
    dry_run = serializers.BooleanField(required=False, help_text="Only where it was asked for.")
    plan_id = serializers.CharField(required=False, help_text="Only of a job that applies a plan.")
    status = serializers.ChoiceField(JobStatus.choices)
    created_at = serializers.DateTimeField()


class CountsSerializer(serializers.Serializer):
    pulled = serializers.IntegerField(help_text="Remote changes taken in.")
    pushed = serializers.IntegerField(help_text="Writes that the provider accepted.")
    skipped = serializers.IntegerField(help_text="Records looked at that needed nothing or were held back.")
    failed = serializers.IntegerField(help_text="Records with an open problem.")


class RecordSerializer(serializers.Serializer):
    kind = serializers.CharField()
    id = serializers.CharField()


class ErrorEntrySerializer(serializers.Serializer):
    id = serializers.CharField(required=False, help_text="The open problem's; in the status, and where it is answered.")
    code = serializers.CharField()
    message = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    connection_id = serializers.CharField(allow_null=True)
    record = RecordSerializer(required=False)
    details = serializers.DictField(
        required=False, help_text="Of `PRECONDITION_FAILED`: `changed`, with `count` and the first 20 `ids`."
    )


class ProgressSerializer(serializers.Serializer):
    stage = serializers.CharField(allow_null=True)
    done = serializers.IntegerField()
    total = serializers.IntegerField()


class JobSummarySerializer(TriggerAnswerSerializer):
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    triggered_by = serializers.ChoiceField(SyncJob.Trigger.choices)
    dry_run = serializers.BooleanField(help_text="It makes a plan, and changes nothing.")
    plan_id = serializers.CharField(
        allow_null=True, help_text="The plan that a dry run has made (`planned`), or that the job applies."
    )
    progress = ProgressSerializer()
    counts = CountsSerializer()
    errors = ErrorEntrySerializer(many=True)  # type: ignore[assignment]
    hold_ids = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of a job that ends `needs_confirmation`: what it holds back, at `/integrations/holds`.",
    )
    next_action_url = serializers.URLField(allow_null=True)


class JobSerializer(JobSummarySerializer):
    counts_by_entity = serializers.DictField(child=CountsSerializer())
    counts_by_connection = serializers.DictField(child=CountsSerializer())


class JobListSerializer(serializers.Serializer):
    jobs = JobSummarySerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class LastJobSerializer(serializers.Serializer):
    job_id = serializers.CharField()
    status = serializers.ChoiceField(JobStatus.choices)
    counts = CountsSerializer()


class MeteredReadsSerializer(serializers.Serializer):
    today = serializers.IntegerField(help_text="Since midnight UTC.")
    yesterday = serializers.IntegerField()
    last_30_days = serializers.IntegerField()
    month_forecast = serializers.IntegerField(help_text="By the end of the month, if it goes on like the last 7 days.")
    limit_per_day = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    waits_until = serializers.DateTimeField(allow_null=True, help_text="Set while the day's limit is reached.")


FRESH_UNTIL = (
    "Until when the data may be believed to be current: the last whole sync, the interval and a margin. Null: not "
    "synced since it was connected, resumed or put on another schedule, or nothing is to keep it current (paused by a "
    "person, synced by hand only, not connected)."
)
STALLED = "Whether the data is older than it should be, whatever the cause. `connection.stalled` names it."


class ConnectionSerializer(serializers.Serializer):
    id = serializers.CharField()
    account = serializers.CharField()
    member = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(ConnectionState.choices)
    last_synced_at = serializers.DateTimeField(allow_null=True)
    fresh_until = serializers.DateTimeField(allow_null=True, help_text=FRESH_UNTIL)
    stalled = serializers.BooleanField(help_text=STALLED)
    access_ends_at = serializers.DateTimeField(
        allow_null=True,
        help_text="Set when the provider ends the access within 60 days, unless the account is connected again.",
    )
    metered_reads = MeteredReadsSerializer(allow_null=True, help_text="Null where the provider bills no call.")


class StatusSerializer(serializers.Serializer):
    integration = serializers.CharField()
    connected = serializers.BooleanField()
    last_synced_at = serializers.DateTimeField(allow_null=True)
    next_scheduled_sync_at = serializers.DateTimeField(allow_null=True)
    fresh_until = serializers.DateTimeField(allow_null=True, help_text=f"The earliest of its accounts. {FRESH_UNTIL}")
    stalled = serializers.BooleanField(help_text="Whether an account of it is stalled.")
    active_job_id = serializers.CharField(allow_null=True)
    errors = ErrorEntrySerializer(many=True)  # type: ignore[assignment]
    direction = serializers.ChoiceField(JobDirection.values, allow_null=True)
    health = serializers.ChoiceField(["ok", "degraded", "needs_attention", "disconnected"])
    last_job = LastJobSerializer(allow_null=True)
    connections = ConnectionSerializer(many=True)


class EventSerializer(serializers.Serializer):
    summary = serializers.CharField(allow_null=True)
    start = serializers.CharField(allow_null=True)
    end = serializers.CharField(allow_null=True)
    all_day = serializers.BooleanField(allow_null=True)
    status = serializers.CharField(allow_null=True)


class ChangeSerializer(serializers.Serializer):
    """A change that a person made at the provider."""  # each provider adds its own ids (reference.py)

    id = serializers.CharField()
    action = serializers.ChoiceField(ChangeAction.values)
    changed_at = serializers.DateTimeField(help_text="When FieldCamp recorded it.")


class FeedSerializer(serializers.Serializer):
    integration = serializers.CharField()
    changes = ChangeSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null: nothing more is there now.")
    resume_cursor = serializers.CharField(help_text="Go on from here later; nothing is missed or seen twice.")
    as_of = serializers.DateTimeField(help_text="How fresh the answer is.")
