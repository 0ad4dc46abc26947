"""What the demo's company sells and has billed. The same day gives the same invoices."""

import datetime as dt
import random
from decimal import Decimal

from fieldcamp.workspace.invoicing import create_invoice
from fieldcamp.workspace.models import Client, Item, PaymentMethod, TaxRate, Workspace
from fieldcamp.workspace.paying import record_payment

# Name, price, taxable. Some are in the sandbox's books under the same name, the others are new to them.
ITEMS = (
    ("Drain cleaning", "185", False), ("Sewer camera inspection", "275", False), ("Leak repair", "140", False),
    ("Boiler inspection", "160", False), ("Kitchen faucet", "214.25", True), ("Copper pipe, 3/4 in", "6.333333", True),
    ("PEX pipe, 1/2 in", "0.89", True), ("Toilet, elongated", "349.99", True),
)  # fmt: skip
TAX, RATE = "Albany", "0.08"
SENT, PAID = 12, 4


def make_money(workspace: Workspace, today: dt.date) -> None:
    """Items, a tax, twelve invoices that were sent and two drafts, four of them paid in full or in part."""
    dice = random.Random(f"{workspace.name} {today}")  # noqa: S311
    Item.objects.bulk_create(
        Item(workspace=workspace, name=name, price=Decimal(price), taxable=taxable) for name, price, taxable in ITEMS
    )
    items = list(Item.objects.filter(workspace=workspace).order_by("name"))
    tax = TaxRate.objects.create(workspace=workspace, name=TAX, rate=Decimal(RATE))
    clients = list(Client.objects.filter(workspace=workspace).order_by("pk")[5:40])
    for number in range(SENT + 2):
        billed = today - dt.timedelta(days=3 * (SENT + 1 - number))
        invoice = create_invoice(
            workspace=workspace,
            client_id=dice.choice(clients).pk,
            lines=[
                {"item_id": item.pk, "description": "", "quantity": Decimal(dice.choice(("1", "2", "3.5")))}
                | {"unit_price": item.price, "taxable": item.taxable}
                for item in dice.sample(items, dice.randint(1, 4))
            ],
            number=str(3001 + number),
            date=billed,
            due_date=billed + dt.timedelta(days=30),
            memo="Thank you for your business.",
            discount_percent=Decimal(10) if number % 5 == 4 else None,
            tax_rate_id=tax.pk,
            send=number < SENT,
        )
        if number < PAID:
            share = invoice.total if number % 2 == 0 else (invoice.total / 2).quantize(Decimal("0.01"))
            record_payment(
                workspace=workspace,
                client_id=invoice.client_id,
                amount=share,
                allocations=[{"invoice_id": invoice.pk, "amount": share}],
                date=billed + dt.timedelta(days=2),
                method=dice.choice((PaymentMethod.CHECK, PaymentMethod.CASH, PaymentMethod.BANK_TRANSFER)),
                reference=f"{4400 + number}",
            )
