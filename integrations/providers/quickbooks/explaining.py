"""Looking closer where a fault does not say enough: who has the name, what is inactive or gone, how much is open."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents
from integrations import errors
from integrations.errors import ProblemReason
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.company import ALL, Books
from integrations.providers.quickbooks.errors import NO_LINK, OTHER_RULE
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.mapping.categories import demanded, has, is_new_without_class
from integrations.providers.quickbooks.mapping.parts import Body, decimal, name, text, without_deleted
from integrations.providers.quickbooks.mapping.payments import invoice_of
from integrations.records import Operation, Verb

Answers = dict[str, dict[str, Any] | errors.ProviderError]
# What a reference names: the list, how people call it, and which property is its name.
REFERENCES = {
    "CustomerRef": ("Customer", "customer", "DisplayName"),
    "ItemRef": ("Item", "item", "Name"),
    "GroupItemRef": ("Item", "bundle", "Name"),
    "ClassRef": ("Class", "class", "FullyQualifiedName"),
    "DepartmentRef": ("Department", "location", "FullyQualifiedName"),
    "SalesTermRef": ("Term", "terms", "Name"),
    "PaymentMethodRef": ("PaymentMethod", "payment method", "Name"),
    "IncomeAccountRef": ("Account", "account", "FullyQualifiedName"),
    "ItemAccountRef": ("Account", "account", "FullyQualifiedName"),
    "DiscountAccountRef": ("Account", "account", "FullyQualifiedName"),
    "DepositToAccountRef": ("Account", "account", "FullyQualifiedName"),
}
MOST_NAMED = 3  # in one sentence
Found = tuple[str, str, str]  # reference, id, words of the line that it stands on


class Explainer:
    def __init__(self, calls: Calls, finder: Finder, books: Books):
        self.calls, self.finder, self.books = calls, finder, books

    def explain(
        self,
        entity: str,
        operations: Sequence[Operation],
        sent: Mapping[str, Body],
        there: Mapping[str, Body],
        answers: Answers,
    ) -> None:
        """Replaces answers that are faults by such as say more. `sent` are the bodies by the operation's key, `there`
        what stood there before by id."""
        taken, missing, refused = [], [], []
        for operation in operations:
            error = answers[operation.key]
            if not isinstance(error, errors.ProviderError):
                continue
            if error.reason == ProblemReason.DUPLICATE_NAME and entity == "Customer":
                taken += [operation] if operation.fields.get("display_name") else []
            elif error.reason == ProblemReason.INACTIVE_REFERENCE:
                missing.append(operation)
            elif entity == "Payment" and error.detail.startswith((OTHER_RULE, NO_LINK)):
                refused.append(operation)
            elif entity == "Invoice" and error.reason is None and error.detail.startswith(OTHER_RULE):
                answers[operation.key] = self._of_category(operation, error, sent.get(operation.key) or {})
        if taken:
            self._name_the_holders(taken, answers)
        if missing:
            self._name_what_is_missing(entity, missing, sent, answers)
        if refused:
            self._tell_what_is_open(refused, sent, there, answers)

    # --- names ------------------------------------------------------------------------------------------------------

    def _name_the_holders(self, operations: Sequence[Operation], answers: Answers) -> None:
        names = {operation.key: name(operation.fields["display_name"]) for operation in operations}
        among = f"DisplayName IN {addresses.among(sorted(set(names.values())))}"
        for entity in ("Customer", "Vendor", "Employee"):
            holders = {str(row.get("DisplayName")).casefold(): row for row in self.calls.select(entity, among, ALL)}
            for key, taken in list(names.items()):
                if row := holders.get(taken.casefold()):
                    answers[key] = _taken(entity, taken, row, answers[key])
                    del names[key]

    # --- classes and locations --------------------------------------------------------------------------------------

    def _of_category(self, operation: Operation, error: errors.ProviderError, body: Body) -> errors.ProviderError:
        """Returns the refusal of an invoice for a class or location that the company keeps. A new one that was sent
        without shares it with all that are new: nothing is wrong with this one."""
        company = self.books.company
        kept = {"class": bool(company.class_tracking), "location": company.locations}
        category = next((name for name in demanded(error.detail) if kept[name]), "")
        if not category:
            return error
        if operation.verb is not Verb.CREATE:
            rows = body.get("Line") or () if category == "class" and company.class_tracking == "line" else ()
            return _refusal(_of_edit(category, rows), ProblemReason.CATEGORY, error)
        if has(body, category):
            sentence = (
                f"QuickBooks does not take the {category} that is chosen for new invoices as it is. Choose another in "
                "the connection's settings, then retry."
            )
            return _refusal(sentence, ProblemReason.CATEGORY, error)
        sentence = (
            f"QuickBooks wants a {category} on each new invoice, and none is chosen. Choose one in the connection's "
            "settings; what waits is posted by the next sync."
        )
        return errors.SettingMissing(sentence, detail=error.detail, reason=ProblemReason.CATEGORY)

    # --- references -------------------------------------------------------------------------------------------------

    def _name_what_is_missing(
        self, entity: str, operations: Sequence[Operation], sent: Mapping[str, Body], answers: Answers
    ) -> None:
        """Says whether it is the record itself that is gone, or which of the records that it names."""
        updates = [operation.remote_id for operation in operations if operation.verb is Verb.UPDATE]
        there = self.finder.read(entity, updates)
        named: dict[str, list[Found]] = {}
        for operation in operations:
            if operation.verb is Verb.UPDATE and operation.remote_id not in there:
                answers[operation.key] = errors.Gone("QuickBooks does not have this any more.")
            else:
                named[operation.key] = list(_named({**there.get(operation.remote_id, {}), **sent[operation.key]}))
        rows = self._rows({(REFERENCES[kind][0], id) for found in named.values() for kind, id, _ in found})
        for key, found in named.items():
            sentences = list(dict.fromkeys(filter(None, (_missing(one, rows) for one in found))))[:MOST_NAMED]
            if sentences:
                answers[key] = _refusal(" ".join(sentences), ProblemReason.INACTIVE_REFERENCE, answers[key])

    def _rows(self, asked: set[tuple[str, str]]) -> dict[tuple[str, str], Body]:
        found: dict[tuple[str, str], Body] = {}
        for entity in sorted({entity for entity, _ in asked}):
            ids = sorted(id for of, id in asked if of == entity)
            among = f"Id IN {addresses.among(ids)}"
            found |= {(entity, str(row["Id"])): row for row in self.calls.select(entity, among, ALL)}
        return found

    # --- amounts ----------------------------------------------------------------------------------------------------

    def _tell_what_is_open(
        self, operations: Sequence[Operation], sent: Mapping[str, Body], there: Mapping[str, Body], answers: Answers
    ) -> None:
        shares = {operation.key: _shares(sent[operation.key]) for operation in operations}
        invoices = self.finder.read("Invoice", {id for found in shares.values() for id in found})
        for operation in operations:
            if any(id not in invoices for id in shares[operation.key]):
                answers[operation.key] = _refusal(
                    "An invoice that this payment pays is gone from QuickBooks. Post the invoice again, or take it off"
                    " the payment; then retry.",
                    ProblemReason.INACTIVE_REFERENCE,
                    answers[operation.key],
                )
                continue
            before = _shares(there.get(operation.remote_id) or {})
            sentences = [
                _over(invoices[id], share, decimal(invoices[id].get("Balance")) + before.get(id, Decimal(0)))
                for id, share in shares[operation.key].items()
            ]
            if any(sentences):
                said = " ".join(filter(None, sentences)) + (
                    " If another payment there is the same money, take one of the two off; else apply less. Then retry."
                )
                answers[operation.key] = _refusal(said, ProblemReason.OVER_APPLIED, answers[operation.key])


def _of_edit(category: str, rows: Sequence[Body]) -> str:
    """Returns what is said of an edit that is refused for a class or location, by the rows that were sent."""
    if any(is_new_without_class(row) for row in rows):
        return (
            "QuickBooks wants a class on each line, and a line that was added here has none. Choose the class of new "
            "invoices in the connection's settings, which new lines get, too; then retry."
        )
    where = "each line of this invoice" if rows else "this invoice"
    return f"QuickBooks wants a {category} on {where}. Give it one in QuickBooks, then retry."


def _named(body: Any, words: str = "") -> Iterator[Found]:
    """Yields the references in a body, with the words of the line on which they stand."""
    if isinstance(body, Mapping):
        words = text(body, "Description") if body.get("DetailType") else words
        for key, value in body.items():
            if key in REFERENCES and isinstance(value, Mapping) and addresses.is_id(str(value.get("value") or "")):
                yield key, str(value["value"]), words
            else:
                yield from _named(value, words)
    elif isinstance(body, list):
        for part in body:
            yield from _named(part, words)


def _missing(found: Found, rows: Mapping[tuple[str, str], Body]) -> str:
    """Returns what is wrong with what is named; "" where nothing is."""
    kind, id, words = found
    entity, what, title = REFERENCES[kind]
    row = rows.get((entity, id))
    if row is None:
        of = f" of the line “{words.splitlines()[0][:60]}”" if words else ""
        merged = " It may have been merged into another: link that one." if entity == "Customer" else ""
        return f"The {what}{of} is gone from QuickBooks.{merged or ' Choose another, then retry.'}"
    if row.get("Active") is not False:
        return ""
    called = without_deleted(row, title) or without_deleted(row, "Name")
    return f"The {what} “{called}” is inactive in QuickBooks. Make it active there, or choose another; then retry."


def _shares(body: Body) -> dict[str, Decimal]:
    """Returns what a payment applies to which invoice."""
    rows = body.get("Line") or ()
    return {invoice: decimal(row.get("Amount")) for row in rows if (invoice := invoice_of(row))}


def _over(invoice: Body, share: Decimal, most: Decimal) -> str:
    if share <= most:
        return ""
    called = f"Invoice {text(invoice, 'DocNumber')}" if invoice.get("DocNumber") else "The invoice"
    return f"{called} has {cents(most)} open in QuickBooks, and this payment applies {cents(share)} to it."


def _refusal(sentence: str, reason: ProblemReason, before: Any) -> errors.Rejected:
    return errors.Rejected(sentence, detail=getattr(before, "detail", ""), reason=reason)


def _taken(entity: str, taken: str, row: Body, error: Any) -> errors.Rejected:
    detail = f"{entity} {row['Id']}. {error.detail}" if isinstance(error, errors.ProviderError) else ""
    if entity == "Customer":
        state = "an inactive" if row.get("Active") is False else "another"
        message = f"QuickBooks has {state} customer called “{taken}” already. Link the two, or rename one."
        return errors.Rejected(message, detail=detail, reason=ProblemReason.DUPLICATE_NAME)
    who = entity.lower()
    article = "an" if who[0] in "aeiou" else "a"
    return errors.Rejected(
        f"In QuickBooks {article} {who} is called “{taken}”, and names are shared there. Rename one of the two.",
        detail=detail,
        reason=ProblemReason(f"name_taken_by_{who}"),
    )
