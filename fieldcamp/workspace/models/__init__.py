from fieldcamp.workspace.models.audit import AuditChain, AuditEntry
from fieldcamp.workspace.models.blocked import BlockedTime
from fieldcamp.workspace.models.change import Change
from fieldcamp.workspace.models.invoices import Invoice, InvoiceLine, InvoiceStatus, Settlement
from fieldcamp.workspace.models.items import Item, ItemType, TaxRate
from fieldcamp.workspace.models.listing import ListCounter
from fieldcamp.workspace.models.mailed import AddressChange, Invitation
from fieldcamp.workspace.models.payments import Payment, PaymentAllocation, PaymentMethod
from fieldcamp.workspace.models.people import ADDRESS_PARTS, Client, Member, Role, Workspace
from fieldcamp.workspace.models.visit import Visit, VisitStatus

__all__ = [
    "ADDRESS_PARTS",
    "AddressChange",
    "AuditChain",
    "AuditEntry",
    "BlockedTime",
    "Change",
    "Client",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "InvoiceStatus",
    "Item",
    "ItemType",
    "ListCounter",
    "Member",
    "Payment",
    "PaymentAllocation",
    "PaymentMethod",
    "Role",
    "Settlement",
    "TaxRate",
    "Visit",
    "VisitStatus",
    "Workspace",
]
