"""What the reference says of the workspace's records beyond what their views and serializers show."""

from collections.abc import Callable

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from fieldcamp.api.key_serializers import DeletedSerializer
from fieldcamp.api.parameters import CURSOR, INCLUDE_DELETED, LATER_CURSOR, LIMIT, SINCE, choice, instant, truth
from fieldcamp.workspace.models import ItemType, PaymentMethod, Role, VisitStatus
from fieldcamp.workspace.models.invoices import DELIVERY_STATUSES, STATUSES
from fieldcamp.workspace.searching import MOST_WORDS

Decorator = Callable[[type], type]

VISIT_FILTERS = [
    choice("visitStatus", VisitStatus.values),
    OpenApiParameter("technicianId", str),
    OpenApiParameter("clientId", str),
    instant("scheduledFrom", "Only visits that start at or after this time."),
    instant("scheduledTo", "Only visits that start before this time."),
]
CLIENT_FILTERS = [
    OpenApiParameter(
        "search", str, description=f"Each word, of {MOST_WORDS} at most, is in a name or in the e-mail address."
    ),
    OpenApiParameter("stage", str),
]


ITEM_FILTERS = [
    OpenApiParameter("search", str, description=f"Each word, of {MOST_WORDS} at most, is in the name or in the SKU."),
    choice("type", ItemType.values),
    truth("taxable", "Only items that are taxable, or that are not."),
    truth("isActive", "Only items that are sold, or that are not any more."),
]
TAX_FILTERS = [truth("isActive", "Only taxes that are used, or that are not any more.")]
TEAM_FILTERS = [
    choice("role", Role.values),
    truth("isTechnician", "Only people who are technicians, or who are not."),
    truth("isActive", "Only people who are active, or who are not any more."),
    instant("since", "Everybody is answered, whenever they were changed."),
    CURSOR,
]
INVOICE_FILTERS = [
    OpenApiParameter("clientId", str),
    choice("status", STATUSES, "Drafts are unpaid. What is void is of no other status."),
    choice("deliveryStatus", DELIVERY_STATUSES),
    truth("sent", "Only invoices that have `sentAt`, or that lack it."),
    truth("voided", "Only invoices that have `voidedAt`, or that lack it."),
]
PAYMENT_FILTERS = [
    OpenApiParameter("clientId", str),
    OpenApiParameter("invoiceId", str, description="Only payments that pay this invoice."),
    choice("method", PaymentMethod.values),
    truth("voided", "Only payments that have `voidedAt`, or that lack it."),
]


def list_reference(plural: str, serializer: type, filters: list[OpenApiParameter], one: str = "") -> Decorator:
    """Returns the reference of a list, and for its POST where `one` names what that makes. What can be made is
    followed by others."""
    followed = [SINCE, INCLUDE_DELETED, LATER_CURSOR] if one else []
    operations = {
        "get": extend_schema(
            operation_id=f"list_{plural}", parameters=[*filters, *followed, LIMIT], responses=serializer(many=True)
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
