"""The faults that refuse one record as it is: a word for the desk, what it says, and what a person does about it.

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

REFUSALS = {  # code -> (reason, sentence)
    "500": ("", "QuickBooks does not know this operation."),
    "620": ("", "The payment points at a transaction that cannot take it. Look at its invoices in QuickBooks."),
    "2040": ("limits", "A text holds characters that QuickBooks does not take. Remove them, then retry."),
    "2050": ("limits", "A text is too long for QuickBooks. Shorten it, then retry."),
    "2210": ("", "QuickBooks does not take the e-mail address. Correct it, then retry."),
    "2500": (
        "inactive_reference",
        "Something that this uses is inactive or gone in QuickBooks. Make it active there, or choose another.",
    ),
    "5020": (
        "limits",
        "The company's plan, or the role of the user who connected it, does not allow this. Ask the "
        "company's administrator.",
    ),
    "5030": ("limits", "The company's QuickBooks plan does not have this feature."),
    "6070": ("", "QuickBooks computes another amount for a line than quantity times price."),
    "6100": ("tax_mapping", "QuickBooks does not take the tax of a line. Check the tax mapping, then retry."),
    "6140": (
        "duplicate_number",
        "Another transaction in QuickBooks has this number already. Give this one another number, or "
        "change the other there.",
    ),
    "6160": ("tax_mapping", "QuickBooks does not know the tax code. Check the tax mapping, then retry."),
    "6170": ("tax_mapping", "QuickBooks does not take the tax of this invoice. Check the tax mapping, then retry."),
    "6200": (
        "closed_period",
        "The date lies in a period whose books are closed. Change the date, or reopen the period in QuickBooks.",
    ),
    "6210": (
        "closed_period",
        "The date lies in a period whose books are closed. Change the date, or reopen the period in QuickBooks.",
    ),
    "6240": ("duplicate_name", "Another record in QuickBooks has this name already. Link the two, or rename one."),
    "6250": (
        "inactive_reference",
        "The customer is inactive or gone in QuickBooks. Make it active there, or link another.",
    ),
    "6430": (
        "item_mapping",
        "The account does not fit this item. Choose another income account in the connection's settings.",
    ),
    "6440": ("item_mapping", "A line needs an item. Choose a default item in the connection's settings."),
    "6450": ("settled", "The payment has been settled and cannot be changed or voided. Refund it in QuickBooks."),
    "6480": ("settled", "It is matched to a bank transaction. Undo the match in QuickBooks, then retry."),
    "6540": (
        "deposited",
        "The payment is part of a bank deposit. Remove it from the deposit in QuickBooks, then retry.",
    ),
}
