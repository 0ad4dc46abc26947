"""Credit memos, which are read only: what is left of them lessens what a customer owes.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo
"""

from fieldcamp.money import cents
from integrations.providers.quickbooks.mapping.parts import Body, decimal, ref_id, text
from integrations.records import OpenCredit


def to_credit(body: Body) -> OpenCredit:
    """Returns what is left of a credit memo: `RemainingCredit`, which older ones say as `Balance` only."""
    left = body.get("RemainingCredit", body.get("Balance"))
    return OpenCredit(
        id=str(body["Id"]),
        customer=ref_id(body, "CustomerRef"),
        number=text(body, "DocNumber"),
        date=text(body, "TxnDate"),
        total=cents(decimal(body.get("TotalAmt"))),
        open=cents(decimal(left)),
    )
