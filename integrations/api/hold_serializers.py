"""The bodies and answers of held removals, and their examples. The answers are made by `selectors.holds`."""

from typing import Any

from rest_framework import serializers

from fieldcamp.api.serializers import StrictIntegerField, StrictSerializer
from integrations.api.problem_serializers import MOST_EXPECTED
from integrations.api.reference import JOB_ID, SUMMARY
from integrations.selectors.holds import SAMPLE, HoldState


class HeldRecordSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="As in `errors[]` of jobs and status.")
    type = serializers.CharField(help_text="The resource of this API that has it, such as `client` or `visit`.")
    id = serializers.CharField(allow_null=True, help_text="Null: an event of ours without a record in FieldCamp.")
    name = serializers.CharField(allow_null=True, help_text="How FieldCamp calls the record.")
    remote_id = serializers.CharField(allow_null=True)
    remote_title = serializers.CharField(allow_null=True, help_text="How it was called there when it was last seen.")
    gone_there = serializers.BooleanField(help_text="Whether its counterpart is gone there already.")


class HoldSerializer(serializers.Serializer):
    """Removals of one calendar, or of one kind of the books' records, that a sync did not dare to make: more than 30 %
    at once. Their records wait, everything else is synced."""

    id = serializers.CharField()
    integration = serializers.CharField()
    connection_id = serializers.CharField()
    state = serializers.ChoiceField([*HoldState])
    direction = serializers.CharField(
        allow_null=True,
        help_text="`pull`: they are gone at the provider. `push`: they would be taken away there. `bidirectional`: "
        "some of each. Null: decided.",
    )
    kind = serializers.CharField(help_text="Of which kind of records, as in `errors[]` of jobs and status.")
    container = serializers.CharField(help_text="The calendar, or the books' list, by its name.")
    removals = serializers.IntegerField(help_text="How many are held: what `expected` wants.")
    of = serializers.IntegerField(help_text="Of how many.")
    share = serializers.FloatField(allow_null=True, help_text="`removals` of `of`, 0 to 1.")
    message = serializers.CharField()
    sample = HeldRecordSerializer(many=True, help_text=f"The first {SAMPLE} of them; none once it is decided.")
    created_at = serializers.DateTimeField()
    held_by_job_id = serializers.CharField(allow_null=True, help_text="The job that held them last.")
    problem_id = serializers.CharField(allow_null=True, help_text="The open problem that asks the same.")
    decision = serializers.CharField(allow_null=True, help_text="`confirm` or `reject`; null: nobody has decided.")
    decided_at = serializers.DateTimeField(allow_null=True)
    job_id = serializers.CharField(
        allow_null=True,
        help_text="The job that carries the decision out. Null: it needs none, or a running sync or the next one does.",
    )


class HoldListSerializer(serializers.Serializer):
    holds = HoldSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class HoldDecisionSerializer(StrictSerializer):
    expected = StrictIntegerField(
        min_value=0,
        max_value=MOST_EXPECTED,
        help_text="How many removals the caller has seen. If it holds another number now, nothing is decided.",
    )


class HoldDecidedSerializer(serializers.Serializer):
    hold = HoldSerializer()
    job_id = serializers.CharField(allow_null=True, help_text="As in the hold.")


_VISIT = "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD"
ROW: dict[str, Any] = {
    "id": "hld_01HZX2Q8YV3D1G0N3WJ2P7K9MQ",
    "integration": SUMMARY["integration"],
    "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
    "state": "open",
    "direction": "pull",
    "kind": "visit",
    "container": "dana@example.com",
    "removals": 10,
    "of": 24,
    "share": 0.4167,
    "message": "10 of 24 visits would lose their calendar event (42 %).",
    "sample": [
        {
            "kind": "visit",
            "type": "visit",
            "id": _VISIT,
            "name": "Repair the boiler",
            "remote_id": "9f2c71ab",
            "remote_title": "Repair the boiler",
            "gone_there": True,
        }
    ],
    "created_at": "2026-05-29T14:21:11Z",
    "held_by_job_id": JOB_ID,
    "problem_id": "prb_01HZX2Q8YV3D1G0N3WJ2P7K9MJ",
    "decision": None,
    "decided_at": None,
    "job_id": None,
}
LIST = {"holds": [ROW], "next_cursor": None}


def decided_example(state: HoldState, decision: str) -> dict[str, Any]:
    job = "syn_01HZX2Q8YV3D1G0N3WJ2P7K9MR"
    more: dict[str, Any] = {"decided_at": "2026-05-29T15:02:40Z", "job_id": job, "direction": None, "sample": []}
    return {"hold": {**ROW, "state": state.value, "decision": decision, "problem_id": None, **more}, "job_id": job}
