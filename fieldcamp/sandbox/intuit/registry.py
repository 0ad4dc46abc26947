"""All types of objects that the books know, by name; further ones plug in here."""

from collections.abc import Callable
from typing import Any

from fieldcamp.sandbox.intuit.attachable import ATTACHABLE
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.credit_memo import CREDIT_MEMO
from fieldcamp.sandbox.intuit.deposit import DEPOSIT
from fieldcamp.sandbox.intuit.entity import Body, Entity
from fieldcamp.sandbox.intuit.estimate import ESTIMATE
from fieldcamp.sandbox.intuit.invoice import INVOICE
from fieldcamp.sandbox.intuit.journal_entry import JOURNAL_ENTRY
from fieldcamp.sandbox.intuit.lists import ACCOUNT, ITEM, PAYMENT_METHOD, TERM
from fieldcamp.sandbox.intuit.payment import PAYMENT
from fieldcamp.sandbox.intuit.people import CUSTOMER, EMPLOYEE, VENDOR
from fieldcamp.sandbox.intuit.purchase import PURCHASE
from fieldcamp.sandbox.intuit.receipts import REFUND_RECEIPT, SALES_RECEIPT
from fieldcamp.sandbox.intuit.tax import COMPANY_INFO, PREFERENCES, TAX_AGENCY, TAX_CODE, TAX_RATE, create_code
from fieldcamp.sandbox.intuit.time_activity import TIME_ACTIVITY
from fieldcamp.sandbox.intuit.tracking import CLASS, DEPARTMENT

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        *(CUSTOMER, VENDOR, EMPLOYEE, ITEM, ACCOUNT, TERM, PAYMENT_METHOD, CLASS, DEPARTMENT),
        *(TAX_CODE, TAX_RATE, TAX_AGENCY, INVOICE, PAYMENT, CREDIT_MEMO, ESTIMATE, SALES_RECEIPT, REFUND_RECEIPT),
        *(DEPOSIT, PURCHASE, JOURNAL_ENTRY, TIME_ACTIVITY, ATTACHABLE, COMPANY_INFO, PREFERENCES),
    )
}
SEGMENTS: dict[str, Entity] = {entity.segment: entity for entity in ENTITIES.values()}
# What is not an object's own address: the path below the company -> what answers its POST, without a wrapper.
SERVICES: dict[str, Callable[[Books, Any], Body]] = {"taxservice/taxcode": create_code}
