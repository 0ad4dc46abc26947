"""The faults that refuse one record as it is: a word for the desk, what it says, and what a person does about it.

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

from integrations.errors import ProblemReason

REFUSALS: dict[str, tuple[ProblemReason | None, str]] = {  # code -> (reason, sentence)
    "500": (None, "QuickBooks does not know this operation."),
    "620": (None, "The payment points at a transaction that cannot take it. Look at its invoices in QuickBooks."),
    "2040": (ProblemReason.LIMITS, "A text holds characters that QuickBooks does not take. Remove them, then retry."),
    "2050": (ProblemReason.LIMITS, "A text is too long for QuickBooks. Shorten it, then retry."),
    "2210": (ProblemReason.EMAIL, "QuickBooks does not take the e-mail address. Correct it, then retry."),
    "2500": (
        ProblemReason.INACTIVE_REFERENCE,
        "Something that this uses is inactive or gone in QuickBooks. Make it active there, or choose another.",
    ),
    "5020": (
        ProblemReason.LIMITS,
        "The company's plan, or the role of the user who connected it, does not allow this. Ask the "
        "company's administrator.",
    ),
    "5030": (ProblemReason.LIMITS, "The company's QuickBooks plan does not have this feature."),
    "6070": (None, "QuickBooks computes another amount for a line than quantity times price."),
    "6100": (
        ProblemReason.TAX_MAPPING,
        "QuickBooks does not take the tax of a line. Check the tax mapping, then retry.",
    ),
    "6140": (
        ProblemReason.DUPLICATE_NUMBER,
        "Another transaction in QuickBooks has this number already. Give this one another number, or "
        "change the other there.",
    ),
    "6160": (ProblemReason.TAX_MAPPING, "QuickBooks does not know the tax code. Check the tax mapping, then retry."),
    "6170": (
        ProblemReason.TAX_MAPPING,
        "QuickBooks does not take the tax of this invoice. Check the tax mapping, then retry.",
    ),
    "6200": (
        ProblemReason.CLOSED_PERIOD,
        "Its date, or that of a document that it is applied to, lies in a period whose books are closed. Change the "
        "date, or reopen the period in QuickBooks.",
    ),
    "6210": (
        ProblemReason.CLOSED_PERIOD,
        "Its date, or that of a document that it is applied to, lies in a period whose books are closed. Change the "
        "date, or reopen the period in QuickBooks.",
    ),
    "6240": (
        ProblemReason.DUPLICATE_NAME,
        "Another record in QuickBooks has this name already. Link the two, or rename one.",
    ),
    "6250": (
        ProblemReason.INACTIVE_REFERENCE,
        "The customer is inactive or gone in QuickBooks. Make it active there, or link another.",
    ),
    "6420": (
        ProblemReason.EMAIL,
        "QuickBooks wants to send this by e-mail, and it has no address. Give the client one, then retry.",
    ),
    "6430": (
        ProblemReason.ITEM_MAPPING,
        "The account does not fit this item. Choose another income account in the connection's settings.",
    ),
    "6440": (ProblemReason.ITEM_MAPPING, "A line needs an item. Choose a default item in the connection's settings."),
    "6450": (
        ProblemReason.SETTLED,
        "The payment has been settled and cannot be changed or voided. Refund it in QuickBooks.",
    ),
    "6480": (ProblemReason.SETTLED, "It is matched to a bank transaction. Undo the match in QuickBooks, then retry."),
    "6540": (
        ProblemReason.DEPOSITED,
        "The payment is part of a bank deposit. Remove it from the deposit in QuickBooks, then retry.",
    ),
}
