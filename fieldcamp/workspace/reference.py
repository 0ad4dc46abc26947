"""What the reference says of `/visits`, `/clients` and `/team` beyond what their views and serializers show."""

from collections.abc import Callable

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from fieldcamp.api.key_serializers import DeletedSerializer
from fieldcamp.api.parameters import CURSOR, LIMIT, SINCE, instant
from fieldcamp.workspace.models import VisitStatus

Decorator = Callable[[type], type]

VISIT_FILTERS = [
    OpenApiParameter("visitStatus", str, enum=VisitStatus.values, many=True, description="Repeatable: any of these."),
    OpenApiParameter("technicianId", str),
    OpenApiParameter("clientId", str),
    SINCE,
    instant("scheduledFrom", "Only visits that start at or after this time."),
    instant("scheduledTo", "Only visits that start before this time."),
]
CLIENT_FILTERS = [
    OpenApiParameter("search", str, description="Each word is in a name or in the e-mail address."),
    OpenApiParameter("stage", str),
    SINCE,
]


def list_reference(plural: str, serializer: type, filters: list[OpenApiParameter], one: str = "") -> Decorator:
    """For a list, and for its POST where `one` names what that makes."""
    operations = {
        "get": extend_schema(
            operation_id=f"list_{plural}", parameters=[*filters, CURSOR, LIMIT], responses=serializer(many=True)
        )
    }
    if one:
        operations["post"] = extend_schema(
            operation_id=f"create_{one}", request=serializer, responses={201: serializer}
        )
    return extend_schema_view(**operations)


def record_reference(one: str, serializer: type, *, editable: bool = True) -> Decorator:
    operations = {"get": extend_schema(operation_id=f"read_{one}", responses=serializer)}
    if editable:
        operations |= {
            "put": extend_schema(operation_id=f"replace_{one}", request=serializer, responses=serializer),
            "patch": extend_schema(operation_id=f"update_{one}", request=serializer, responses=serializer),
            "delete": extend_schema(operation_id=f"delete_{one}", responses={200: DeletedSerializer}),
        }
    return extend_schema_view(**operations)
