"""`/items`, `/taxes`, `/invoices` and `/payments`: parse, call one service, render."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from fieldcamp.api.pagination import choice_parameter, search_parameter, truth_parameter
from fieldcamp.workspace import catalog, invoicing, paying, selectors
from fieldcamp.workspace.models import ItemType, PaymentMethod
from fieldcamp.workspace.models.invoices import DELIVERY_STATUSES, STATUSES
from fieldcamp.workspace.rest.money_serializers import (
    InvoiceSerializer,
    ItemSerializer,
    NothingSerializer,
    PaymentSerializer,
    TaxSerializer,
    VoidSerializer,
)
from fieldcamp.workspace.rest.reference import (
    INVOICE_FILTERS,
    ITEM_FILTERS,
    PAYMENT_FILTERS,
    TAX_FILTERS,
    action_reference,
    list_reference,
    record_reference,
)
from fieldcamp.workspace.rest.resources import (
    ActionView,
    CreateMixin,
    EditableView,
    RecordListView,
    scopes_of,
)

Check = Callable[[Any], None]
_REFUSED = dict.fromkeys(("PATCH", "PUT", "DELETE"), ("INVALID_TRANSITION",))


@list_reference("items", ItemSerializer, ITEM_FILTERS, "item")
class ItemListView(CreateMixin, RecordListView):
    tag = "Items"
    required_scopes = scopes_of("items")
    serializer_class = ItemSerializer
    create = staticmethod(catalog.create_item)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "search": search_parameter(request),
            "types": choice_parameter(request, "type", ItemType.values),
            "taxable": truth_parameter(request, "taxable"),
            "is_active": truth_parameter(request, "isActive"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.items(workspace=self.workspace, **filters)


@record_reference("item", ItemSerializer)
class ItemView(EditableView):
    tag = "Items"
    required_scopes = scopes_of("items")
    serializer_class = ItemSerializer

    def rows(self) -> QuerySet:
        return selectors.items(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Check) -> Any:
        return catalog.update_item(workspace=self.workspace, item_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Check) -> Any:
        return catalog.delete_item(workspace=self.workspace, item_id=record_id, check=check)


@list_reference("taxes", TaxSerializer, TAX_FILTERS, "tax")
class TaxListView(CreateMixin, RecordListView):
    tag = "Taxes"
    required_scopes = scopes_of("taxes")
    serializer_class = TaxSerializer
    create = staticmethod(catalog.create_tax_rate)

    def filters(self, request: Request) -> dict[str, Any]:
        return {"is_active": truth_parameter(request, "isActive")}

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.tax_rates(workspace=self.workspace, **filters)


@record_reference("tax", TaxSerializer)
class TaxView(EditableView):
    tag = "Taxes"
    required_scopes = scopes_of("taxes")
    serializer_class = TaxSerializer

    def rows(self) -> QuerySet:
        return selectors.tax_rates(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Check) -> Any:
        return catalog.update_tax_rate(workspace=self.workspace, tax_rate_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Check) -> Any:
        return catalog.delete_tax_rate(workspace=self.workspace, tax_rate_id=record_id, check=check)


@list_reference("invoices", InvoiceSerializer, INVOICE_FILTERS, "invoice")
class InvoiceListView(CreateMixin, RecordListView):
    tag = "Invoices"
    required_scopes = scopes_of("invoices")
    serializer_class = InvoiceSerializer
    create = staticmethod(invoicing.create_invoice)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "statuses": choice_parameter(request, "status", STATUSES),
            "deliveries": choice_parameter(request, "deliveryStatus", DELIVERY_STATUSES),
            "sent": truth_parameter(request, "sent"),
            "voided": truth_parameter(request, "voided"),
            "client_id": request.query_params.get("clientId", ""),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.invoices(workspace=self.workspace, **filters)


@record_reference("invoice", InvoiceSerializer)
class InvoiceView(EditableView):
    tag = "Invoices"
    raises = _REFUSED
    required_scopes = scopes_of("invoices")
    serializer_class = InvoiceSerializer

    def rows(self) -> QuerySet:
        return selectors.invoices(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Check) -> Any:
        return invoicing.update_invoice(workspace=self.workspace, invoice_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Check) -> Any:
        return invoicing.delete_invoice(workspace=self.workspace, invoice_id=record_id, check=check)


@action_reference("send_invoice", InvoiceSerializer)
class InvoiceSendView(ActionView):
    tag = "Invoices"
    required_scopes = {"POST": "invoices:write"}
    serializer_class = InvoiceSerializer
    body_class = NothingSerializer

    def act(self, record_id: str, check: Check, **values: Any) -> Any:
        return invoicing.send_invoice(workspace=self.workspace, invoice_id=record_id, check=check)

    def post(self, request: Request, record_id: str) -> HttpResponseBase:
        """Makes a draft a bill that can be paid."""
        return self.run(request, record_id)


@action_reference("void_invoice", InvoiceSerializer, VoidSerializer)
class InvoiceVoidView(ActionView):
    tag = "Invoices"
    required_scopes = {"POST": "invoices:write"}
    serializer_class = InvoiceSerializer
    body_class = VoidSerializer

    def act(self, record_id: str, check: Check, **values: Any) -> Any:
        return invoicing.void_invoice(workspace=self.workspace, invoice_id=record_id, check=check, **values)

    def post(self, request: Request, record_id: str) -> HttpResponseBase:
        """Nothing is owed any more; it stays on the books."""
        return self.run(request, record_id)


@list_reference("payments", PaymentSerializer, PAYMENT_FILTERS, "payment")
class PaymentListView(CreateMixin, RecordListView):
    tag = "Payments"
    required_scopes = scopes_of("payments")
    serializer_class = PaymentSerializer
    create = staticmethod(paying.record_payment)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "client_id": request.query_params.get("clientId", ""),
            "invoice_id": request.query_params.get("invoiceId", ""),
            "methods": choice_parameter(request, "method", PaymentMethod.values),
            "voided": truth_parameter(request, "voided"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.payments(workspace=self.workspace, **filters)


@record_reference("payment", PaymentSerializer, deletable=False)
class PaymentView(EditableView):
    tag = "Payments"
    http_method_names = ["get", "head", "put", "patch", "options"]  # it is voided, not deleted
    raises = _REFUSED
    required_scopes = scopes_of("payments")
    serializer_class = PaymentSerializer

    def rows(self) -> QuerySet:
        return selectors.payments(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Check) -> Any:
        return paying.update_payment(workspace=self.workspace, payment_id=record_id, changes=changes, check=check)


@action_reference("void_payment", PaymentSerializer)
class PaymentVoidView(ActionView):
    tag = "Payments"
    required_scopes = {"POST": "payments:write"}
    serializer_class = PaymentSerializer
    body_class = NothingSerializer

    def act(self, record_id: str, check: Check, **values: Any) -> Any:
        return paying.void_payment(workspace=self.workspace, payment_id=record_id, check=check)

    def post(self, request: Request, record_id: str) -> HttpResponseBase:
        """Takes it back: its invoices are open again."""
        return self.run(request, record_id)
