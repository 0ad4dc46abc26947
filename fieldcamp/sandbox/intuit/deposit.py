"""Bank deposits: payments and sales receipts that were put into the bank together, and other money.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/deposit
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from fieldcamp.sandbox.intuit import engine, errors, payment, receivables, transactions
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, references
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

DETAIL = "DepositLineDetail"
DEPOSITED = ("Payment", "SalesReceipt")
CHECKING = "35"
INTO = ("Bank", "Other Current Asset")


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    transactions.complete(books, draft, {})
    account = books.the("Account", draft["DepositToAccountRef"]["value"]).body
    if account["AccountType"] not in INTO:
        raise Fault(6430, "Invalid account type used", "A deposit goes into a bank account.", "DepositToAccountRef")
    if "Line" in sent or old is None:
        known = {link["TxnId"] for link in _links(old.body["Line"] if old else [])}
        draft["Line"] = list(_lines(books, draft["Line"], known))
    back = decimal(draft.get("CashBack", {}).get("Amount"))
    total = sum((decimal(line["Amount"]) for line in draft["Line"]), ZERO) - back
    if total < ZERO:
        raise errors.business("The total of a deposit must be 0 or greater.", "TotalAmt")
    draft["TotalAmt"] = number(total)
    transactions.check_period(books, draft, old)


def _lines(books: Books, sent: list[Body], known: set[str]) -> Iterator[Body]:
    if not sent:
        raise Fault(2250, "Missing lines", "A deposit must have at least one line.", "Line")
    position, taken = 0, set()
    for each in sent:
        if "Amount" not in each:
            raise errors.required("Line.Amount")
        amount = cents(decimal(each["Amount"]))
        if each.get("LinkedTxn"):
            link = each["LinkedTxn"][0]
            if link.get("TxnId") in taken:
                raise errors.business("A transaction can be deposited once only.", "Line.LinkedTxn")
            taken.add(link.get("TxnId"))
            yield _linked(books, link, amount, known)
            continue
        position += 1
        if "AccountRef" not in each.get(DETAIL, {}):
            raise errors.required("Line.DepositLineDetail.AccountRef")
        if receivables.is_receivable(books, each[DETAIL]["AccountRef"]):
            receivables.check_customer(books, each[DETAIL].get("Entity", {}), each[DETAIL].get("Entity", {}))
        words = {"Description": each["Description"]} if "Description" in each else {}
        place: Body = {"Id": str(position), "LineNum": position}
        yield (
            place
            | words
            | {"Amount": number(amount), "DetailType": DETAIL, DETAIL: each[DETAIL]}
            | {"CustomExtensions": []}
        )


def _linked(books: Books, link: Body, amount: Decimal, known: set[str]) -> Body:
    """The line of a payment. As recorded, it has neither an Id nor a kind."""
    txn_type, txn = link.get("TxnType", ""), link.get("TxnId", "")
    stored = books.get(txn_type, txn) if txn_type in DEPOSITED else None
    body = stored.body if stored else {}
    waits = body.get("DepositToAccountRef", {}).get("value") == payment.UNDEPOSITED_FUNDS
    if not waits or (payment.is_deposited(body) and txn not in known) or amount != decimal(body["TotalAmt"]):
        text_ = f"Transaction {txn} cannot be linked to a deposit: it is not in Undeposited Funds with that amount."
        raise Fault(620, "Transaction cannot be linked", text_, "Line.LinkedTxn.TxnId")
    line: Body = {
        "Amount": number(amount),
        "LinkedTxn": [{"TxnId": txn, "TxnType": txn_type, "TxnLineId": "0"}],
    }
    detail = {"PaymentMethodRef": body["PaymentMethodRef"]} if "PaymentMethodRef" in body else {}
    detail |= {"CheckNum": body["PaymentRefNum"]} if body.get("PaymentRefNum") else {}
    return line | ({DETAIL: detail} if detail else {})


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """What is in the deposit says so. As recorded, neither its SyncToken nor its LastUpdatedTime moves."""
    receivables.settle(books, new, old)
    after, before = (list(_links(stored.body["Line"])) if stored else [] for stored in (new, old))
    either = new or old
    for link in (*before, *after):
        stored = books.get(link["TxnType"], link["TxnId"])
        if stored is None or either is None or (link in before and link in after):
            continue
        body = {name: value for name, value in stored.body.items() if name != "LinkedTxn"}
        others = [each for each in stored.body.get("LinkedTxn", []) if each["TxnType"] != "Deposit"]
        if link in after:
            others.append({"TxnId": either.id, "TxnType": "Deposit"})
        books.annotate(stored, body | ({"LinkedTxn": others} if others else {}))


def put(books: Books, money: Iterable[Stored], account: str = CHECKING, day: str = "", note: str = "") -> str:
    """As the user does: puts payments and sales receipts into the bank together; the deposit's id."""
    lines = [
        {"Amount": each.body["TotalAmt"], "LinkedTxn": [{"TxnId": each.id, "TxnType": each.type}]} for each in money
    ]
    body = {"DepositToAccountRef": {"value": account}, "Line": lines, "PrivateNote": note}
    return str(engine.write(books, books.entities["Deposit"], body | ({"TxnDate": day} if day else {}))["Id"])


def take_back(books: Books, money: Stored) -> None:
    """As the user does: takes it out of its deposit, which is gone when it held nothing else."""
    for link in money.body.get("LinkedTxn", []):
        stored = books.get("Deposit", link["TxnId"]) if link["TxnType"] == "Deposit" else None
        if stored is None:
            continue
        target = {"Id": stored.id, "SyncToken": str(stored.token)}
        left = [line for line in stored.body["Line"] if money.id not in [each["TxnId"] for each in _links([line])]]
        if left:
            engine.write(books, books.entities["Deposit"], target | {"sparse": True, "Line": left})
        else:
            engine.delete(books, books.entities["Deposit"], target)


def _links(lines: Iterable[Body]) -> Iterator[Body]:
    for line in lines:
        yield from line.get("LinkedTxn", [])


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    transactions.show_currency(shown)
    shown["TxnTaxDetail"] = {}
    for line in shown["Line"]:
        detail = line.get(DETAIL, {})
        if "AccountRef" in detail:
            detail["AccountRef"] = books.with_name(detail["AccountRef"], "Account")
        if "Entity" in detail:
            kind = detail["Entity"].get("type", "Customer").capitalize()
            detail["Entity"] = books.with_name(detail["Entity"], kind) | {"type": kind.upper()}
    if "AccountRef" in shown.get("CashBack", {}):
        shown["CashBack"]["AccountRef"] = books.with_name(shown["CashBack"]["AccountRef"], "Account")


DEPOSIT = Entity(
    name="Deposit",
    segment="deposit",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("DepositToAccountRef", "Line"),
    fields={
        "DepositToAccountRef": ref("Account"),
        "TxnDate": day(),
        "CurrencyRef": ref(),
        "ExchangeRate": numeric(0),
        "PrivateNote": text(4000),
        "DepartmentRef": ref("Department"),
        "CashBack": struct(AccountRef=ref("Account"), Amount=numeric(0), Memo=text(4000)),
        "Line": rows(
            struct(
                ("LineNum", "CustomExtensions"),
                Id=text(20),
                Description=text(4000),
                Amount=numeric(),
                DetailType=choice(DETAIL),
                LinkedTxn=rows(struct(TxnId=text(20), TxnType=text(30), TxnLineId=text(20)), 1),
                DepositLineDetail=struct(
                    AccountRef=ref("Account"),
                    Entity=struct(value=text(20), name=text(500), type=text(20)),
                    PaymentMethodRef=ref("PaymentMethod"),
                    ClassRef=ref("Class"),
                    CheckNum=text(21),
                    TxnType=text(30),
                ),
            )
        ),
        "TransactionLocationType": text(50),
    },
    ignored=frozenset({"TotalAmt", "HomeTotalAmt", "TxnTaxDetail", "GlobalTaxCalculation", "TxnSource"}),
    refs={"DepositToAccountRef": ("Account",), "DepartmentRef": ("Department",)},
    filterable={**days("TxnDate"), **numbers("TotalAmt"), **references("DepositToAccountRef")},
    prepare=_prepare,
    settle=_settle,
    before_delete=_before_delete,
    respond=_respond,
)
