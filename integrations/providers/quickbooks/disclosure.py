"""What people are told of QuickBooks Online before they connect it; docs/quickbooks.md has it in detail."""

from integrations.providers.base import DataUse, Disclosure

DISCLOSURE = Disclosure(
    vendor="Intuit",
    uses=(
        DataUse(
            "The company's name, country and settings, and the e-mail address of who connects it",
            "to show whose books these are, and to write only what they accept",
            reads=True,
        ),
        DataUse("Accounts and tax codes", "to let the office choose what stands for what", reads=True),
        DataUse(
            "Customers: names, e-mail, phone and addresses",
            "to keep each client once, and the same on both sides",
            reads=True,
            writes=True,
        ),
        DataUse(
            "Products and services: name, description, price and SKU",
            "to bill what the books know",
            reads=True,
            writes=True,
        ),
        DataUse(
            "Invoices: number, dates, lines, discount, tax and memo",
            "to post each invoice once and to keep it equal to the cent",
            reads=True,
            writes=True,
        ),
        DataUse(
            "Payments: date, amount, method, reference and the invoices paid",
            "to show on both sides what is paid",
            reads=True,
            writes=True,
        ),
        DataUse("Customers' open credits", "to compare what each customer owes on both sides", reads=True),
    ),
    ended_there="in QuickBooks Online, under Apps and My apps",
)
