"""What a plan answers, for the reference. The answers are made by `selectors.plans`."""

from typing import Any

from rest_framework import serializers

from integrations.api.reference import BOOKS_JOB, JOB_ID
from integrations.models import PlanOperation
from integrations.selectors.plans import STATES


class PlanSideCountsSerializer(serializers.Serializer):
    create = serializers.IntegerField()  # type: ignore[assignment]
    update = serializers.IntegerField()  # type: ignore[assignment]
    delete = serializers.IntegerField()
    link = serializers.IntegerField(required=False, help_text="Records of both sides that are found to be the same.")
    unlink = serializers.IntegerField(required=False, help_text="Records that are kept, whose counterpart is gone.")


class PlanCountsSerializer(serializers.Serializer):
    operations = serializers.IntegerField()
    fieldcamp = PlanSideCountsSerializer()
    provider = PlanSideCountsSerializer()
    held = serializers.IntegerField(help_text="Removals that a sync would hold back until somebody confirms them.")
    skipped = serializers.IntegerField(help_text="Records that need nothing, or wait.")
    failed = serializers.IntegerField(help_text="Records that would be left with a problem.")


class PlanMoneySerializer(serializers.Serializer):
    """Sums of amounts, in one currency; those of nothing are left out."""

    currency = serializers.CharField(allow_null=True, help_text="null where the books do not say.")
    invoices_created = serializers.CharField(required=False)
    invoices_changed = serializers.CharField(required=False, help_text="By how much they grow; negative: shrink.")
    invoices_removed = serializers.CharField(required=False)
    payments_created = serializers.CharField(required=False)
    payments_changed = serializers.CharField(required=False)
    payments_removed = serializers.CharField(required=False)


class PlannedRecordSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="The resource of this API that has it.")
    id = serializers.CharField()


class PlanOperationSerializer(serializers.Serializer):
    id = serializers.CharField()
    action = serializers.ChoiceField(PlanOperation.Action.choices)
    side = serializers.ChoiceField(PlanOperation.Side.choices, help_text="Where it is done.")
    connection_id = serializers.CharField()
    type = serializers.CharField(help_text="What it is: `visit`, `blocked_time`, `client`, `item`, `tax`, …")
    record = PlannedRecordSerializer(allow_null=True, help_text="null where FieldCamp does not have it yet.")
    remote_id = serializers.CharField(allow_null=True, help_text="null where it is still to be made there.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(), help_text="What of it is changed: name → `[from, to]`."
    )


class PlanHeadSerializer(serializers.Serializer):
    id = serializers.CharField()
    integration = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    job_id = serializers.CharField(help_text="The dry run that has made it.")
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until when it can be applied.")
    approved_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True)
    applied_by = serializers.CharField(allow_null=True, help_text="The job that was started to apply it.")
    counts = PlanCountsSerializer()
    money = PlanMoneySerializer(many=True)


class PlanSerializer(PlanHeadSerializer):
    operations = PlanOperationSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


PLAN_ID = "pln_01HZX2Q8YV3D1G0N3WJ2P7K9MP"
_CONNECTION = "con_01HZX2Q8YV3D1G0N3WJ2P7K9MH"
_CLIENT, _INVOICE = "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME", "inv_01HZX2Q8YV3D1G0N3WJ2P7K9MJ"
HEAD: dict[str, Any] = {
    "id": PLAN_ID,
    "integration": BOOKS_JOB["integration"],
    "state": "open",
    "job_id": JOB_ID,
    "made_at": "2026-05-29T14:21:11Z",
    "expires_at": "2026-05-29T15:21:11Z",
    "approved_at": None,
    "approved_by": None,
    "applied_by": None,
    "counts": {
        "operations": 2,
        "fieldcamp": {"create": 0, "update": 0, "delete": 0, "link": 0, "unlink": 0},
        "provider": {"create": 2, "update": 0, "delete": 0},
        "held": 0,
        "skipped": 60,
        "failed": 0,
    },
    "money": [{"currency": "USD", "invoices_created": "240.00"}],
}
_OPERATION = {"side": "provider", "action": "create", "connection_id": _CONNECTION, "remote_id": None}
PLAN = {
    **HEAD,
    "operations": [
        {
            "id": "plo_01HZX2Q8YV3D1G0N3WJ2P7K9MQ",
            **_OPERATION,
            "type": "client",
            "record": {"type": "client", "id": _CLIENT},
            "fields": {"display_name": [None, "Kim Reed"], "email": [None, "kim@example.com"]},
        },
        {
            "id": "plo_01HZX2Q8YV3D1G0N3WJ2P7K9MR",
            **_OPERATION,
            "type": "invoice",
            "record": {"type": "invoice", "id": _INVOICE},
            "fields": {"number": [None, "1042"], "customer": [None, f"new:{_CLIENT}"]},
        },
    ],
    "next_cursor": None,
}
APPROVED = {**HEAD, "approved_at": "2026-05-29T14:30:00Z", "approved_by": "API key Controller (key_01HZ)"}
APPLIED = {
    "job_id": "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MS",
    "integration": BOOKS_JOB["integration"],
    "mode": "incremental",
    "scope": "all",
    "plan_id": PLAN_ID,
    "status": "queued",
    "created_at": "2026-05-29T14:31:00Z",
}
