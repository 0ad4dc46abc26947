"""The JSON of items, taxes, invoices and payments: camelCase outside, model fields inside. What is empty is null."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.api.serializers import InstantField, StrictBooleanField, StrictCharField, StrictSerializer
from fieldcamp.workspace.models import Invoice, ItemType, PaymentMethod
from fieldcamp.workspace.models.invoices import DELIVERY_STATUSES, STATUSES
from fieldcamp.workspace.rest.amounts import AmountField, DayField
from fieldcamp.workspace.rest.money_examples import (
    INVOICE,
    ITEM,
    NEW_INVOICE,
    NEW_ITEM,
    NEW_PAYMENT,
    NEW_TAX,
    PAYMENT,
    TAX,
)
from fieldcamp.workspace.rest.serializers import OptionalText

_STATUS = {state: word for word, states in STATUSES.items() for state in states}
_ROWS = 500


class WholeSerializer(StrictSerializer):
    """A part that is replaced as a whole: its required fields are required in a PATCH, too."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        missing = [name for name, field in self.fields.items() if field.required and name not in data]
        if missing:
            raise serializers.ValidationError({name: ["This field is required."] for name in missing})
        return value


@extend_schema_serializer(examples=[example(ITEM), example(NEW_ITEM, request=True)])
class ItemSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    name = StrictCharField(max_length=100)
    description = OptionalText(max_length=4000, lines=True)
    price = AmountField(places=7, default=0, help_text="For one, before tax.")
    sku = OptionalText(max_length=100)
    type = serializers.ChoiceField(choices=ItemType.choices, default=ItemType.SERVICE)
    taxable = StrictBooleanField(default=True)
    isActive = StrictBooleanField(source="is_active", default=True)
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


class TaxComponent(WholeSerializer):
    name = StrictCharField(max_length=100)
    rate = AmountField(places=6, high=1)


@extend_schema_serializer(examples=[example(TAX), example(NEW_TAX, request=True)])
class TaxSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    name = StrictCharField(max_length=100)
    rate = AmountField(
        places=6, high=1, required=False, allow_null=True, default=None,
        help_text="A fraction: 0.08 is 8 %. Where there are components, their sum.",
    )  # fmt: skip
    components = TaxComponent(  # type: ignore[call-arg]
        many=True, required=False, default=list, max_length=10, help_text="Stacked rates, each rounded by itself."
    )
    description = OptionalText(max_length=100)
    isActive = StrictBooleanField(source="is_active", default=True)
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


class InvoiceLineSerializer(WholeSerializer):
    """A line. What is left out or null comes from its item; in an invoice that was sent, from the line that has the
    item already."""

    itemId = StrictCharField(source="item_id", max_length=40, required=False, allow_null=True, default=None)
    description = StrictCharField(
        max_length=4000, lines=True, required=False, allow_null=True, allow_blank=True, default=None
    )
    quantity = AmountField(places=5, required=False, allow_null=True, default=None, help_text="1 if it is left out.")
    unitPrice = AmountField(
        source="unit_price", places=7, low=-99_999_999, required=False, allow_null=True, default=None
    )
    taxable = StrictBooleanField(required=False, allow_null=True, default=None)
    amount = AmountField(read_only=True)


@extend_schema_serializer(examples=[example(INVOICE), example(NEW_INVOICE, request=True)])
class InvoiceSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    number = OptionalText(max_length=21, help_text="The next free one if it is left out.")
    clientId = StrictCharField(source="client_id", max_length=40)
    date = DayField(required=False, allow_null=True, default=None, help_text="The company's today if left out.")
    dueDate = DayField(source="due_date", required=False, allow_null=True, default=None)
    status = serializers.SerializerMethodField(help_text="How far it is paid, overdue by the company's day; or void.")
    deliveryStatus = serializers.SerializerMethodField()
    lines = InvoiceLineSerializer(  # type: ignore[call-arg]
        many=True, max_length=_ROWS, help_text="Replaced as a whole."
    )
    discountPercent = AmountField(
        source="discount_percent", places=6, high=100, required=False, allow_null=True, default=None,
        help_text="10 is 10 %.",
    )  # fmt: skip
    discountAmount = AmountField(source="discount_amount", required=False, allow_null=True, default=None)
    taxRateId = StrictCharField(source="tax_rate_id", max_length=40, required=False, allow_null=True, default=None)
    memo = OptionalText(max_length=1000, lines=True, help_text="The message to the client.")
    subtotal = AmountField(read_only=True)
    discountTotal = AmountField(source="discount_total", read_only=True)
    taxTotal = AmountField(source="tax_total", read_only=True)
    total = AmountField(read_only=True)
    paid = AmountField(read_only=True, help_text="What payments have taken off it.")
    deposit = AmountField(read_only=True, help_text="Taken on the invoice's form in the books, beside all payments.")
    balance = AmountField(read_only=True, help_text="What is still to be paid.")
    sentAt = InstantField(source="sent_at", read_only=True, allow_null=True)
    voidedAt = InstantField(source="voided_at", read_only=True, allow_null=True)
    voidReason = OptionalText(source="void_reason", read_only=True, required=None, default=serializers.empty)
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)

    @extend_schema_field({"type": "string", "enum": [*STATUSES]})
    def get_status(self, invoice: Invoice) -> str:
        return _STATUS[invoice.status]

    @extend_schema_field({"type": "string", "enum": [*DELIVERY_STATUSES]})
    def get_deliveryStatus(self, invoice: Invoice) -> str:
        return "sent" if invoice.sent_at else "draft"


class AllocationSerializer(WholeSerializer):
    invoiceId = StrictCharField(source="invoice_id", max_length=40)
    amount = AmountField()


@extend_schema_serializer(examples=[example(PAYMENT), example(NEW_PAYMENT, request=True)])
class PaymentSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    clientId = StrictCharField(source="client_id", max_length=40)
    amount = AmountField()
    date = DayField(required=False, allow_null=True, default=None, help_text="The company's today if left out.")
    method = serializers.ChoiceField(choices=PaymentMethod.choices, default=PaymentMethod.OTHER)
    reference = OptionalText(max_length=21, help_text="Such as a check's number.")
    notes = OptionalText(max_length=1000, lines=True)
    allocations = AllocationSerializer(  # type: ignore[call-arg]
        many=True, required=False, default=list, max_length=_ROWS,
        help_text="What it pays. Replaced as a whole; what is left of the amount stays unapplied.",
    )  # fmt: skip
    credited = AmountField(
        read_only=True, help_text="Credit that was applied to the invoices in the books, beside the amount."
    )
    appliedElsewhere = AmountField(
        source="elsewhere", read_only=True,
        help_text="What of it is used in the books for something else, such as a refund.",
    )  # fmt: skip
    unapplied = AmountField(read_only=True, help_text="What is left: no invoice has taken it.")
    madeIn = OptionalText(source="made_in", read_only=True, required=None, default=serializers.empty)
    voidedAt = InstantField(source="voided_at", read_only=True, allow_null=True)
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


class NothingSerializer(StrictSerializer):
    """An action without a choice: an empty body."""


@extend_schema_serializer(examples=[example({"reason": "Billed twice"}, request=True)])
class VoidSerializer(StrictSerializer):
    reason = OptionalText(max_length=200)
