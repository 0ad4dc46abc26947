"""What the reference says of the workspace's records beyond what their views and serializers show."""

from collections.abc import Callable

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from fieldcamp.api.key_serializers import DeletedSerializer
from fieldcamp.api.parameters import CURSOR, LIMIT, SINCE, instant
from fieldcamp.workspace.models import VisitStatus
from fieldcamp.workspace.models.invoices import PAID_STATUSES
from fieldcamp.workspace.searching import MOST_WORDS

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
    OpenApiParameter(
        "search", str, description=f"Each word, of {MOST_WORDS} at most, is in a name or in the e-mail address."
    ),
    OpenApiParameter("stage", str),
    SINCE,
]


ITEM_FILTERS = [
    OpenApiParameter("search", str, description=f"Each word, of {MOST_WORDS} at most, is in the name or in the SKU."),
    SINCE,
]
INVOICE_FILTERS = [
    OpenApiParameter("clientId", str),
    OpenApiParameter(
        "status",
        str,
        enum=[*PAID_STATUSES],
        many=True,
        description="Repeatable: any of these. Drafts are unpaid; with this filter, void invoices are left out.",
    ),
    SINCE,
]
PAYMENT_FILTERS = [
    OpenApiParameter("clientId", str),
    OpenApiParameter("invoiceId", str, description="Only payments that pay this invoice."),
    SINCE,
]


def list_reference(plural: str, serializer: type, filters: list[OpenApiParameter], one: str = "") -> Decorator:
    """Returns the reference of a list, and for its POST where `one` names what that makes."""
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


def record_reference(one: str, serializer: type, *, editable: bool = True, deletable: bool = True) -> Decorator:
    operations = {"get": extend_schema(operation_id=f"read_{one}", responses=serializer)}
    if editable:
        operations |= {
            "put": extend_schema(operation_id=f"replace_{one}", request=serializer, responses=serializer),
            "patch": extend_schema(operation_id=f"update_{one}", request=serializer, responses=serializer),
        }
    if editable and deletable:
        operations["delete"] = extend_schema(operation_id=f"delete_{one}", responses={200: DeletedSerializer})
    return extend_schema_view(**operations)


def action_reference(name: str, serializer: type, body: type | None = None) -> Decorator:
    """Returns the reference of a POST that does one thing with a record."""
    return extend_schema_view(post=extend_schema(operation_id=name, request=body, responses={200: serializer}))
