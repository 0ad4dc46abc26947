"""What the reference says of the reconciliation: one operation for each provider that keeps books."""

from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.workspace.rest.amounts import AmountField
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT
from integrations.providers.base import Provider
from integrations.reconciliation.balances import CAUSES
from integrations.reconciliation.causes import Cause
from integrations.reconciliation.documents import HERE, THERE, DocumentState

FORMATS = ("json", "csv")
_DAY: dict[str, Any] = {"type": "string", "format": "date", "pattern": "^(19[7-9]|20[0-9]|21[0-9])"}
_PARAMETERS = [
    OpenApiParameter("from", _DAY, description="The first day, such as 2026-11-01. Default: the day from which the "
                     "books are kept equal; all days, where none was chosen."),
    OpenApiParameter("to", _DAY, description="The last day. Default: no end."),
    OpenApiParameter("format", str, enum=FORMATS, description="`csv`: the differences as a table for spreadsheets."),
]  # fmt: skip


class SideSumSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    total = AmountField()


class BothSumsSerializer(serializers.Serializer):
    here = SideSumSerializer()
    there = SideSumSerializer()


class ApartSerializer(serializers.Serializer):
    invoices = BothSumsSerializer()
    payments = BothSumsSerializer()


class MonthSerializer(serializers.Serializer):
    """What is dated in the month, without what is void."""

    month = serializers.CharField(help_text="Such as 2026-11.")
    invoices = BothSumsSerializer()
    payments = BothSumsSerializer()
    apart = ApartSerializer(help_text="By choice on one side only: dated before the first day, or there before the "
                            "books were connected. No differences, and in no other sum.")  # fmt: skip


class StateCountsSerializer(serializers.Serializer):
    linked = serializers.IntegerField()
    cut = serializers.IntegerField(help_text="Linked once: it is gone on one side, or was taken apart.")
    waiting = serializers.IntegerField(help_text="To be looked at by the next sync.")
    refused = serializers.IntegerField(help_text="A person is asked, or has to correct something.")
    not_linked = serializers.IntegerField(help_text="On one side only.")
    apart = serializers.IntegerField(help_text="On one side only, by choice.")


class StatesSerializer(serializers.Serializer):
    invoices = StateCountsSerializer()
    payments = StateCountsSerializer()


def _nullable(**kwargs: Any) -> serializers.CharField:
    return serializers.CharField(allow_null=True, **kwargs)


@cache
def reconciliation_serializer(remote: str, prefix: str) -> type[serializers.Serializer]:
    """Returns the answer's shape; `remote` is how the provider's ids are called."""
    ids = {"client_id": _nullable(), remote: _nullable()}
    sums = {
        "open_here": AmountField(),
        "open_there": AmountField(),
        "difference": AmountField(),
        "credits_there": AmountField(help_text="What is left there of credits; in no other figure of this row."),
        "entries_there": AmountField(help_text="What other entries come to there; in no other figure of this row."),
        "balance_there": AmountField(
            help_text="What the customer owes there by the books' own word, with those credits and entries."
        ),
    }
    customer: Any = type(
        f"{prefix}OwingCustomerSerializer", (serializers.Serializer,), {**ids, "name": serializers.CharField(), **sums}
    )
    owed: Any = type(
        f"{prefix}OwedSerializer", (serializers.Serializer,), {**ids, "here": AmountField(), "there": AmountField()}
    )
    credit: Any = type(
        f"{prefix}CreditSerializer",
        (serializers.Serializer,),
        {
            remote: serializers.CharField(),
            "number": _nullable(),
            "date": _nullable(),
            "name": serializers.CharField(help_text="Whose it is."),
            "client_id": _nullable(),
            "total": AmountField(),
            "open": AmountField(help_text="What is still to be applied to invoices."),
        },
    )
    entry: Any = type(
        f"{prefix}EntrySerializer",
        (serializers.Serializer,),
        {
            remote: _nullable(),
            "kind": serializers.CharField(help_text="The books' word for it, such as `Journal Entry` or `Deposit`."),
            "number": _nullable(),
            "date": _nullable(),
            "name": serializers.CharField(help_text="Whose it is."),
            "client_id": _nullable(),
            "open": AmountField(help_text="What is open of it; negative where it lessens what is owed."),
        },
    )
    difference: Any = type(
        f"{prefix}DifferenceSerializer",
        (serializers.Serializer,),
        {
            "kind": serializers.ChoiceField(
                [INVOICE.name, PAYMENT.name, CUSTOMER.name],
                help_text="`customer`: a balance there that documents do not come to.",
            ),
            "record_id": _nullable(help_text="null: FieldCamp has none."),
            remote: _nullable(help_text="null: the books never had it."),
            "number": _nullable(help_text="An invoice's number, a payment's reference."),
            "name": serializers.CharField(help_text="Whose it is."),
            "client_id": _nullable(),
            "here": AmountField(allow_null=True, help_text="0: it is void. null: there is none."),
            "there": AmountField(allow_null=True, help_text="0: it is void. null: there is none."),
            "date_here": _nullable(),
            "date_there": _nullable(),
            "open": owed(many=True, help_text="What it adds to what customers owe."),
            "cause": serializers.ChoiceField([cause.value for cause in Cause]),
            "fields": serializers.ListField(
                child=serializers.CharField(), help_text="What differs where both have it."
            ),
            "state": serializers.ChoiceField([state.value for state in DocumentState]),
            "message": serializers.CharField(help_text="The cause in a sentence, and what to do."),
            "next_action_url": serializers.URLField(),
        },
    )
    accepted: Any = type(
        f"{prefix}AcceptedBalanceSerializer",
        (serializers.Serializer,),
        {
            "cause": serializers.ChoiceField([cause.value for cause in CAUSES]),
            "client_id": _nullable(),
            remote: serializers.CharField(),
            "name": serializers.CharField(help_text="Whose balance it is."),
            "amount": AmountField(help_text="How much more is owed there than documents come to."),
            "accepted_at": serializers.DateTimeField(),
        },
    )
    fields = {
        "integration": serializers.CharField(),
        "as_of": serializers.DateTimeField(help_text="When the books were read."),
        "from": serializers.DateField(allow_null=True),
        "to": serializers.DateField(allow_null=True),
        "agrees": serializers.BooleanField(),
        "invoices": serializers.IntegerField(help_text="FieldCamp's, in these days."),
        "open_here": AmountField(),
        "open_there": AmountField(),
        "credits_there": AmountField(help_text="What is left there of credits, of all days."),
        "entries_there": AmountField(help_text="What other entries on customers' accounts come to there, of all days."),
        "balance_there": AmountField(
            help_text="What all customers owe there by the books' own word: with what is on one side by choice, and "
            "with those credits and entries."
        ),
        "amount": AmountField(help_text="What the differences come to, each without its sign."),
        "states": StatesSerializer(),
        "months": MonthSerializer(many=True),
        "customers": customer(many=True, help_text="Those who owe something, on either side."),
        "credits": credit(many=True, help_text="Credits that are not applied, or not all of them. No differences."),
        "entries": entry(
            many=True,
            help_text="What else is on customers' accounts there: journal entries, expenses, lines of bank "
            "deposits. What they come to is a difference of the customer's until it is accepted.",
        ),
        "differences": difference(many=True),
        "accepted": accepted(many=True, help_text="Balances that somebody has said are meant so. No differences."),
    }
    return type(f"{prefix}ReconciliationSerializer", (serializers.Serializer,), fields)


def _sums(here: float, there: float) -> dict[str, Any]:
    return {"here": {"count": 1, "total": here}, "there": {"count": 1, "total": there}}


def _example(provider: Provider) -> dict[str, Any]:
    who = {"client_id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME", provider.remote_id_name: "58"}
    none = dict.fromkeys((HERE.value, THERE.value), {"count": 0, "total": 0})
    apart = {"invoices": none, "payments": none}
    counts = {state.value: int(state is DocumentState.LINKED) for state in DocumentState}
    record = "inv_01HZX2Q8YV3D1G0N3WJ2P7K9MJ"
    return {
        "integration": provider.name,
        "as_of": "2026-05-29T14:21:08Z",
        "from": "2026-05-01",
        "to": None,
        "agrees": False,
        "invoices": 1,
        "open_here": 60,
        "open_there": 68.25,
        "credits_there": 20,
        "entries_there": -8.25,
        "balance_there": 40,
        "amount": 8.25,
        "states": {"invoices": counts, "payments": counts},
        "months": [{"month": "2026-05", "invoices": _sums(100, 108.25), "payments": _sums(40, 40), "apart": apart}],
        "customers": [
            {
                **who,
                "name": "Kim Reed",
                "open_here": 60,
                "open_there": 68.25,
                "difference": -8.25,
                "credits_there": 20,
                "entries_there": -8.25,
                "balance_there": 40,
            },
        ],
        "credits": [
            {
                provider.remote_id_name: "141",
                "number": "1009",
                "date": "2026-05-18",
                "name": "Kim Reed",
                "client_id": who["client_id"],
                "total": 50,
                "open": 20,
            }
        ],
        "entries": [
            {
                provider.remote_id_name: "152",
                "kind": "Journal Entry",
                "number": "7",
                "date": "2026-05-28",
                "name": "Kim Reed",
                "client_id": who["client_id"],
                "open": -8.25,
            }
        ],
        "differences": [
            {
                "kind": INVOICE.name,
                "record_id": record,
                provider.remote_id_name: "130",
                "number": "3061",
                "name": "Kim Reed",
                "client_id": who["client_id"],
                "here": 100,
                "there": 108.25,
                "date_here": "2026-05-20",
                "date_there": "2026-05-20",
                "open": [{**who, "here": 100, "there": 108.25}],
                "cause": Cause.VARIANCE.value,
                "fields": ["total", "tax"],
                "state": DocumentState.LINKED.value,
                "message": "Both sides say something else, although nothing waits. Compare the two and correct the one "
                "that is wrong.",
                "next_action_url": f"https://fieldcamp.example/admin/workspace/invoice/{record}/change/",
            }
        ],
        "accepted": [
            {
                "cause": Cause.ENTRIES.value,
                **who,
                "name": "Kim Reed",
                "amount": -8.25,
                "accepted_at": "2026-05-29T09:00:00Z",
            }
        ],
    }


def reconciliation_reference(provider: Provider, view: type) -> type:
    """Returns the view, described."""
    answer = reconciliation_serializer(provider.remote_id_name, provider.name.title().replace("_", ""))
    return extend_schema_view(
        get=extend_schema(
            operation_id=f"reconcile_{provider.name}",
            summary=f"Compare the books with {provider.label}",
            parameters=_PARAMETERS,
            responses={
                (200, "application/json"): answer,
                (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="Both sides, compared."),
            },
            examples=[example(_example(provider))],
        )
    )(view)
