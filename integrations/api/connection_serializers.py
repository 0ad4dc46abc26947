"""The bodies and answers of connections and settings. The answers are made by selectors; these describe them."""

from typing import Any

from rest_framework import serializers

from fieldcamp.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictListField,
    StrictSerializer,
)
from fieldcamp.workspace.rest.amounts import DayField
from integrations.api.serializers import FRESH_UNTIL, STALLED, MeteredReadsSerializer
from integrations.models import ConnectionState, JobDirection
from integrations.selectors.connection_settings import POLICY_NAMES
from integrations.services.metering import LEAST, MOST
from integrations.services.schedule import LONGEST, SHORTEST

MOST_CALENDARS = 200


class ConnectionRowSerializer(serializers.Serializer):
    """One connected account."""

    id = serializers.CharField()
    integration = serializers.CharField()
    account = serializers.CharField(help_text="How the account is called at the provider.")
    member_id = serializers.CharField(allow_null=True, help_text="Whose calendar it is. Null: the company's books.")
    state = serializers.ChoiceField(
        ConnectionState.choices, help_text="`setup`: it is connected, and its settings are still to be chosen."
    )
    state_reason = serializers.CharField(allow_null=True, help_text="Why it stands still, in words.")
    connect_url = serializers.URLField(
        allow_null=True, help_text="Where a person connects it again, or finishes its set-up. Null: neither is needed."
    )
    scopes_missing = serializers.ListField(
        child=serializers.CharField(), help_text="The provider's permissions that the sync needs and does not have."
    )
    access_ends_at = serializers.DateTimeField(
        allow_null=True,
        help_text="Set when the provider ends the access within 60 days, unless the account is connected again.",
    )
    last_synced_at = serializers.DateTimeField(allow_null=True)
    fresh_until = serializers.DateTimeField(allow_null=True, help_text=FRESH_UNTIL)
    stalled = serializers.BooleanField(help_text=STALLED)
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When the provider is asked again, where it waits.")
    problems = serializers.IntegerField(help_text="Open problems of it: see `/integrations/problems`.")
    removing_events = serializers.BooleanField(
        help_text="FieldCamp's events are being taken out of the calendar; nothing else is synced."
    )
    metered_reads = MeteredReadsSerializer(allow_null=True, help_text="Null where the provider bills no call.")
    connected_at = serializers.DateTimeField(allow_null=True)
    disconnected_at = serializers.DateTimeField(allow_null=True)


class ConnectionListSerializer(serializers.Serializer):
    connections = ConnectionRowSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class DisconnectSerializer(StrictSerializer):
    """What becomes of what is left. All of it may be left out: then everything stays where it is."""

    remove_events = StrictBooleanField(
        required=False,
        help_text="Takes FieldCamp's events out of the calendar first, by a job. Only with access to it.",
    )
    remove_busy_times = StrictBooleanField(
        required=False, help_text="Forgets the busy times that were read from it. They block the schedule no more."
    )
    visits_to = StrictCharField(
        required=False,
        max_length=32,
        help_text="The technician who gets the person's coming visits. Needs the scope `visits:write` as well.",
    )


class DisconnectedSerializer(ConnectionRowSerializer):
    """The account, and the job that takes events away before it is disconnected."""

    job_id = serializers.CharField(
        allow_null=True, help_text="The account is disconnected when it ends. Null: it is disconnected."
    )


# --- settings -------------------------------------------------------------------------------------------------------

_CALENDAR_DIRECTION = (
    "`bidirectional`: visits are written, and moved as their events are. `push`: they are only written. `pull`: busy "
    "times are read, and nothing is written."
)
_BOOKS_DIRECTION = "`push`: FieldCamp to the books only. `pull`: the books to FieldCamp only."
_POLICY = "Whose change counts where both sides changed the same. `ask`: a problem asks somebody."
_READS = f"Calls a day (UTC) that may be billed, {LEAST} to {MOST:,}. 0: no limit. Null: as the installation has it."


class NamedReferenceSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()


class CalendarSettingsSerializer(serializers.Serializer):
    member_id = serializers.CharField(allow_null=True)
    target_calendar = NamedReferenceSerializer(allow_null=True, help_text="Where visits go.")
    busy_calendars = NamedReferenceSerializer(many=True, help_text="What busy times are read from.")
    direction = serializers.ChoiceField(JobDirection.values, help_text=_CALENDAR_DIRECTION)
    conflict_policy = serializers.ChoiceField(POLICY_NAMES, help_text=_POLICY)


class _Named(serializers.Serializer):
    """Fields whose names no class may have."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name.removesuffix("_of_new_invoices"): made for name, made in super().get_fields().items()}


class BooksSettingsSerializer(_Named):
    income_account = NamedReferenceSerializer(allow_null=True, help_text="What new items sell to.")
    default_item = NamedReferenceSerializer(allow_null=True, help_text="What stands for invoice lines without an item.")
    class_of_new_invoices = NamedReferenceSerializer(allow_null=True, help_text="Of new invoices.")
    location = NamedReferenceSerializer(allow_null=True, help_text="Of new invoices.")
    terms = NamedReferenceSerializer(allow_null=True, help_text="Of new invoices.")
    import_customers = serializers.BooleanField(help_text="Whether customers of the books become clients.")
    import_items = serializers.BooleanField(help_text="Whether products and services become items.")
    invoices_from = serializers.DateField(allow_null=True, help_text="Earlier invoices are not posted.")
    direction = serializers.ChoiceField(JobDirection.values, help_text=_BOOKS_DIRECTION)
    conflict_policy_lists = serializers.ChoiceField(POLICY_NAMES, help_text=f"Of clients and items. {_POLICY}")
    conflict_policy_documents = serializers.ChoiceField(POLICY_NAMES, help_text=f"Of invoices and payments. {_POLICY}")


class ConnectionSettingsSerializer(serializers.Serializer):
    """What is chosen for one account."""

    connection_id = serializers.CharField()
    integration = serializers.CharField()
    calendar = CalendarSettingsSerializer(allow_null=True, help_text="Null: the account is a company's books.")
    books = BooksSettingsSerializer(allow_null=True, help_text="Null: the account is somebody's calendar.")
    metered_reads_per_day = serializers.IntegerField(allow_null=True, help_text=_READS)


class CalendarChangesSerializer(StrictSerializer):
    member_id = StrictCharField(required=False, max_length=32, help_text="Whose calendar it is.")
    target_calendar_id = StrictCharField(
        required=False, max_length=1024, trim_whitespace=False, help_text="Where visits go, of its `/options`."
    )
    busy_calendar_ids = StrictListField(
        child=StrictCharField(max_length=1024, trim_whitespace=False),
        required=False,
        max_length=MOST_CALENDARS,
        help_text="All that busy times are to be read from. What is left out is read no more.",
    )
    keep_busy_times = StrictBooleanField(
        required=False, help_text="Keeps the busy times of a calendar that is read no more. Else they go."
    )
    direction = serializers.ChoiceField(JobDirection.values, required=False, help_text=_CALENDAR_DIRECTION)
    conflict_policy = serializers.ChoiceField(POLICY_NAMES, required=False, help_text=_POLICY)


def _reference(help_text: str) -> StrictCharField:
    return StrictCharField(required=False, allow_null=True, max_length=64, help_text=f"{help_text} Null: none.")


class BooksChangesSerializer(StrictSerializer):
    income_account_id = _reference("What new items sell to, of its `/options`.")
    default_item_id = _reference("What stands for invoice lines without an item; without one such invoices wait.")
    class_id = _reference("Of new invoices.")
    location_id = _reference("Of new invoices.")
    terms_id = _reference("Of new invoices.")
    import_customers = StrictBooleanField(required=False)
    import_items = StrictBooleanField(required=False)
    invoices_from = DayField(required=False, allow_null=True, help_text="Null: all invoices are posted.")
    direction = serializers.ChoiceField(JobDirection.values, required=False, help_text=_BOOKS_DIRECTION)
    conflict_policy_lists = serializers.ChoiceField(POLICY_NAMES, required=False)
    conflict_policy_documents = serializers.ChoiceField(POLICY_NAMES, required=False)
    shared = StrictBooleanField(
        required=False, help_text="Needed once where another company of FieldCamp writes into the same books."
    )


class ConnectionChangesSerializer(StrictSerializer):
    """What is to be changed; what is left out stays."""

    calendar = CalendarChangesSerializer(required=False)
    books = BooksChangesSerializer(required=False)
    metered_reads_per_day = StrictIntegerField(
        required=False, allow_null=True, min_value=0, max_value=MOST, help_text=_READS
    )

    def validate_metered_reads_per_day(self, value: int | None) -> int | None:
        if value and value < LEAST:
            raise serializers.ValidationError(f"Must be 0, or from {LEAST} to {MOST:,}.")
        return value


class OfferedCalendarSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    primary = serializers.BooleanField()
    writable = serializers.BooleanField(help_text="Whether visits may go there.")
    readable = serializers.BooleanField(help_text="Whether busy times may be read from it.")
    owner = serializers.CharField(allow_null=True, help_text="Whose it is, where that is somebody else.")


class OptionsSerializer(serializers.Serializer):
    """What there is to choose from, as the provider says just now. Lists that the account does not have are empty."""

    connection_id = serializers.CharField()
    calendars = OfferedCalendarSerializer(many=True)
    income_accounts = NamedReferenceSerializer(many=True)
    items = NamedReferenceSerializer(many=True)
    classes = NamedReferenceSerializer(many=True)
    locations = NamedReferenceSerializer(many=True)
    terms = NamedReferenceSerializer(many=True)


_INTERVAL = f"Minutes between two syncs by schedule, {SHORTEST} to {LONGEST}. 0: by hand only."


class IntegrationSettingsSerializer(serializers.Serializer):
    """What is chosen for one integration, of all its accounts."""

    integration = serializers.CharField()
    interval_minutes = serializers.IntegerField(
        allow_null=True,
        help_text=f"{_INTERVAL} Null: nobody has chosen; longer while the provider tells of changes by itself.",
    )
    sync_on_save = serializers.BooleanField(help_text="Whether what is saved in FieldCamp is synced soon after.")


class IntegrationChangesSerializer(StrictSerializer):
    """What is to be changed; what is left out stays."""

    interval_minutes = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST,
        help_text=f"{_INTERVAL} Null leaves it to FieldCamp, where the provider tells of changes by itself.",
    )
    sync_on_save = StrictBooleanField(required=False)


def plain_changes(body: Any) -> dict[str, Any]:
    """Returns checked changes as JSON has them: days as texts, those of the calendar and the books without order."""
    sent = dict(body.validated_data)
    for section in ("calendar", "books"):
        if section in sent:
            sent[section] = dict(sent[section])
    day = sent.get("books", {}).get("invoices_from")
    if day is not None:
        sent["books"]["invoices_from"] = day.isoformat()
    return sent
