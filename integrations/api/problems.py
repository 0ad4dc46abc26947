"""Problems that a program may answer in a person's place."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.examples import example
from fieldcamp.api.services import signature
from fieldcamp.api.views import ApiView
from fieldcamp.workspace.errors import InvalidTransition
from integrations.accounts.acting import KeyActor
from integrations.api.reference import JOB_ID
from integrations.api.serializers import AnsweredSerializer, AnswerSerializer
from integrations.errors import ProblemCode
from integrations.models import Problem, SyncJob
from integrations.selectors.status import errors
from integrations.services import removed_events
from integrations.services.decisions import AlreadyDecided

_ANSWERED = {
    "problem": {
        "id": "prb_01HZX2Q8YV3D1G0N3WJ2P7K9MJ",
        "code": "EVENT_REMOVED",
        "message": "Its event was removed in the calendar. The visit is unchanged. Put it back, or cancel the visit.",
        "occurred_at": "2026-05-29T14:21:10Z",
        "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
        "record": {"kind": "visit", "id": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MB"},
    },
    "job_id": JOB_ID,
}


class ProblemAnswerView(ApiView):
    tag = "Problems"
    required_scopes = {"POST": "problems:write"}
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="answer_problem",
        request=AnswerSerializer,
        responses={202: AnsweredSerializer},
        examples=[example({"choice": "put_back"}, request=True), example(_ANSWERED, status=202)],
    )
    def post(self, request: Request, problem_id: str) -> Response:
        """Decides what becomes of a visit whose event was removed from its calendar."""
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        problem = Problem.objects.filter(pk=problem_id, workspace=self.workspace).select_related("workspace").first()
        if problem is None:
            raise ApiError("NOT_FOUND", "There is no such problem.")
        if problem.code != ProblemCode.EVENT_REMOVED:
            raise validation_error({"choice": ["This problem is answered at the desk."]})
        try:
            job = _carry_out(body.validated_data["choice"], problem, KeyActor(signature(self.key)))
        except (AlreadyDecided, InvalidTransition) as refusal:
            raise ApiError("INVALID_TRANSITION", str(refusal)) from refusal
        return Response({"problem": errors([problem])[0], "job_id": job.pk if job else None}, status=202)


def _carry_out(choice: str, problem: Problem, actor: KeyActor) -> SyncJob | None:
    if choice == "put_back":
        return removed_events.put_back(problem=problem, user=actor)
    if choice == "leave_removed":
        removed_events.leave_removed(problem=problem, user=actor)
    else:
        removed_events.cancel_visit(problem=problem, user=actor)
    return None
