"""The bodies and answers of problems. The answers are made by `problem_rows`; these describe them."""

from rest_framework import serializers

from fieldcamp.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from integrations.api.naming import INTEGRATIONS as INTEGRATIONS
from integrations.api.naming import IntegrationField
from integrations.errors import ProblemCode
from integrations.services.problems.causes import CAUSES, STATES

MOST_EXPECTED = 1_000_000


class ProblemRecordSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="As in `errors[]` of jobs and status.")
    type = serializers.CharField(help_text="The resource of this API that has it, such as `client` or `visit`.")
    id = serializers.CharField()
    remote_id = serializers.CharField(allow_null=True, help_text="Its counterpart there, where it has or had one.")


class ChoiceSerializer(serializers.Serializer):
    id = serializers.CharField(help_text="What is sent as `choice`.")
    label = serializers.CharField(help_text="For a button.")  # type: ignore[assignment]
    effect = serializers.CharField(help_text="What it does.")
    default = serializers.BooleanField(help_text="The one that is meant most often.")
    dangerous = serializers.BooleanField(help_text="It cannot be taken back: ask before it is sent.")
    values = serializers.ListField(
        child=serializers.CharField(),
        help_text="What is sent as `values`: `name`, which may be left out; of `by_field` each of these fields, with "
        "`fieldcamp` or `provider`.",
    )
    for_all = serializers.CharField(
        allow_null=True, help_text="The `choice` that gives it to all of a cause; null where that cannot be done."
    )


class ProblemSerializer(serializers.Serializer):
    """One problem. Only those that are open or a notice have choices."""

    id = serializers.CharField()
    integration = serializers.CharField()
    connection_id = serializers.CharField(allow_null=True)
    code = serializers.ChoiceField([code.value for code in ProblemCode])
    cause = serializers.CharField(help_text="What exactly is wrong; the code in small letters where no more is known.")
    state = serializers.ChoiceField(
        STATES, help_text="`open`: somebody has to do something. `notice`: it is merely good to know."
    )
    title = serializers.CharField()
    message = serializers.CharField(help_text="What is wrong, with the record.")
    next_step = serializers.CharField(help_text="What to do about it.")
    occurred_at = serializers.DateTimeField(help_text="When it was seen last.")
    resolved_at = serializers.DateTimeField(allow_null=True)
    record = ProblemRecordSerializer(allow_null=True, help_text="Null where it is about a whole account or calendar.")
    choices = ChoiceSerializer(many=True)
    can_retry = serializers.BooleanField(help_text="Whether trying it again may change something.")
    next_action_url = serializers.URLField(help_text="Where a person goes on at the desk.")


class SideSerializer(serializers.Serializer):
    field = serializers.CharField()
    fieldcamp = serializers.JSONField(allow_null=True)
    provider = serializers.JSONField(allow_null=True)
    base = serializers.JSONField(allow_null=True, help_text="What both sides agreed on last; null where unknown.")
    asked = serializers.BooleanField(help_text="Whether a choice decides it; the others follow from the rules.")


class CandidateFieldSerializer(serializers.Serializer):
    field = serializers.CharField()
    fieldcamp = serializers.JSONField(allow_null=True)
    provider = serializers.JSONField(allow_null=True)


class CandidateSerializer(serializers.Serializer):
    """A record there that may be the same."""

    remote_id = serializers.CharField()
    name = serializers.CharField()
    taken_by = serializers.CharField(allow_null=True, help_text="The record of FieldCamp that it belongs to already.")
    fields = CandidateFieldSerializer(many=True)  # type: ignore[assignment]


class ProblemDetailSerializer(ProblemSerializer):
    """One problem with all that is known of it."""

    sides = SideSerializer(many=True, help_text="Fields in which the sides differed when it was seen.")
    candidates = CandidateSerializer(many=True)
    provider_message = serializers.CharField(allow_null=True, help_text="The provider's own words, without secrets.")


class ProblemListSerializer(serializers.Serializer):
    problems = ProblemSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class CauseCountSerializer(serializers.Serializer):
    integration = serializers.CharField()
    connection_id = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    cause = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField(help_text="Open problems of it: what `expected` wants.")


class CauseListSerializer(serializers.Serializer):
    causes = CauseCountSerializer(many=True)


class AnswerSerializer(StrictSerializer):
    choice = StrictCharField(
        max_length=1100, trim_whitespace=False, help_text="The `id` of one of the problem's choices."
    )
    values = serializers.DictField(
        child=StrictCharField(max_length=200, trim_whitespace=True),
        required=False,
        help_text="What the choice takes besides, by name.",
    )


class AnsweredSerializer(serializers.Serializer):
    """What came of it."""

    problem = ProblemDetailSerializer()
    outcome = serializers.ChoiceField(
        ["settled", "queued", "waiting"],
        help_text="`settled`: done, nothing is left to a sync. `queued`: the job carries it out. `waiting`: it is "
        "saved, and the sync that is running now or the next one carries it out.",
    )
    job_id = serializers.CharField(allow_null=True)


class OfCauseSerializer(StrictSerializer):
    """Which problems: the open ones of one cause, and how many the caller has seen."""

    cause = serializers.ChoiceField(CAUSES)
    integration = IntegrationField()
    code = serializers.ChoiceField(
        [code.value for code in ProblemCode], required=False, help_text="Narrows it to one code."
    )
    connection_id = StrictCharField(required=False, max_length=32, help_text="Narrows it to one account.")
    expected = StrictIntegerField(
        min_value=0, max_value=MOST_EXPECTED, help_text="How many there are. If there are others now, nothing is done."
    )


class AnswerAllSerializer(OfCauseSerializer):
    choice = StrictCharField(
        max_length=64, trim_whitespace=False, help_text="What the choices of these problems have as `for_all`."
    )


class LeftSerializer(serializers.Serializer):
    id = serializers.CharField()
    why = serializers.CharField()


class AllOutcomeSerializer(serializers.Serializer):
    left = serializers.IntegerField(help_text="How many are as they were.")
    left_problems = LeftSerializer(many=True, help_text="The first 50 of those.")
    job_id = serializers.CharField(
        allow_null=True, help_text="The one job that carries it out; null where none is needed, or a sync is running."
    )


class AllAnsweredSerializer(AllOutcomeSerializer):
    answered = serializers.IntegerField()


class AllRetriedSerializer(AllOutcomeSerializer):
    retried = serializers.IntegerField()
