"""The JSON of visits, clients and team: camelCase outside, model fields inside. What is empty is null."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.api.serializers import InstantField, StrictCharField, StrictSerializer
from fieldcamp.workspace.models import Client, Role, VisitStatus
from fieldcamp.workspace.rest.examples import CLIENT, MEMBER, NEW_CLIENT, NEW_VISIT, VISIT


class OptionalText(StrictCharField):
    """Text that may be left out or null; it is stored as an empty text."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"required": False, "default": "", "allow_null": True, "allow_blank": True, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> str:
        return "" if data is None else super().run_validation(data)

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return value or None


class OptionalEmails(OptionalText):
    """An e-mail address, or several that are separated by commas."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"max_length": 254, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> str:
        text = super().run_validation(data)
        for address in text.split(",") if text else ():
            serializers.EmailField().run_validation(address.strip())
        return text


class TextsSerializer(StrictSerializer):
    """A small object of texts, stored as it is shown and replaced as a whole."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"required": False, "allow_null": True, "default": dict, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> dict[str, str]:
        value = super().run_validation(data)
        return {name: text for name, text in (value or {}).items() if text}

    def to_representation(self, instance: dict[str, str]) -> dict[str, str | None] | None:  # type: ignore[override]
        return {str(name): instance.get(str(name)) for name in self.fields} if instance else None


class PhoneNumber(TextsSerializer):
    countryCode = OptionalText(max_length=8)
    number = OptionalText(max_length=40)
    countryIdentifier = OptionalText(max_length=8)


class Address(TextsSerializer):
    street = OptionalText(max_length=200, lines=True)
    city = OptionalText(max_length=100)
    state = OptionalText(max_length=100)
    postalCode = OptionalText(max_length=20)
    country = OptionalText(max_length=100)


@extend_schema_serializer(examples=[example(VISIT), example(NEW_VISIT, request=True)])
class VisitSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    clientId = StrictCharField(source="client_id", max_length=40)
    technicianId = StrictCharField(source="technician_id", max_length=40, required=False, allow_null=True, default=None)
    jobId = OptionalText(source="job_id", max_length=64, help_text="Yours: it is kept and not interpreted.")
    title = StrictCharField(max_length=200)
    notes = OptionalText(max_length=4000, lines=True)
    address = OptionalText(max_length=300)
    scheduledStart = InstantField(source="scheduled_start", required=False, allow_null=True, default=None)
    scheduledEnd = InstantField(source="scheduled_end", required=False, allow_null=True, default=None)
    timezone = OptionalText(max_length=64, help_text="IANA name; the workspace's when it is left out.")
    visitStatus = serializers.ChoiceField(source="visit_status", choices=VisitStatus.choices, required=False)
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


@extend_schema_serializer(examples=[example(CLIENT), example(NEW_CLIENT, request=True)])
class ClientSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    firstName = OptionalText(source="first_name", max_length=80)
    lastName = OptionalText(source="last_name", max_length=80)
    companyName = OptionalText(source="company_name", max_length=120)
    displayName = OptionalText(
        source="display_name", max_length=500,
        help_text="What it is called, here and in the books. Null: by the company's name, or the person's.",
    )  # fmt: skip
    email = OptionalEmails(help_text="Several are separated by commas.")
    phoneNumber = PhoneNumber(source="phone_number")
    billingAddress = Address(source="billing_address")
    propertyAddress = Address(source="property_address")
    stage = StrictCharField(max_length=40, default=Client._meta.get_field("stage").get_default())
    parentId = serializers.CharField(
        source="parent_id", read_only=True, allow_null=True, help_text="The client whose place (site, job) it is."
    )
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


@extend_schema_serializer(examples=[example({"into": CLIENT["id"]}, request=True)])
class MergeSerializer(StrictSerializer):
    into = StrictCharField(max_length=40, help_text="The id of the client that stays.")


@extend_schema_serializer(examples=[example(MEMBER)])
class MemberSerializer(serializers.Serializer):
    id = serializers.CharField(read_only=True)
    firstName = serializers.CharField(source="first_name", read_only=True)
    lastName = serializers.CharField(source="last_name", read_only=True)
    email = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)
    isTechnician = serializers.BooleanField(source="is_technician", read_only=True)
    isActive = serializers.BooleanField(source="is_active", read_only=True)
