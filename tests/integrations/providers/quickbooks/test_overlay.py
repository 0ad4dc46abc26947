"""An edit here leaves what a bookkeeper has put on a document: its body before and after, side by side."""

import copy
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from fieldcamp.money import cents, plain
from integrations import errors
from tests.integrations.providers.quickbooks.conftest import REALM, rewrite, update

SALE, GROUP, DISCOUNT, SUBTOTAL = (
    "SalesItemLineDetail", "GroupLineDetail", "DiscountLineDetail", "SubTotalLineDetail",
)  # fmt: skip
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
FOLLOWS = {"SyncToken", "MetaData", "TotalAmt", "Balance", "TxnTaxDetail", "Line"}  # with the sum of an edited line
# What a bookkeeper, or another app, sets on a line of sale beside what FieldCamp has.
OWN = {
    "ServiceDate": "2026-11-03",
    "ClassRef": {"value": "class"},
    "DiscountRate": 5,
    "MarkupInfo": {"PercentBased": True, "Percent": 10},
}


def ref(id: str) -> dict:
    return {"value": id}


class Paper:
    """What there is to write documents with: two items, a bundle of them, a class, accounts, an estimate."""

    def __init__(self, company, intuit):
        self.company, self.intuit = company, intuit
        rewrite(intuit, "Preferences", "1", SalesFormsPrefs={"AllowShipping": True, "CustomTxnNumbers": False})
        self.customer = company.make("Customer", DisplayName="Northway Hardware")["Id"]
        made = [
            company.make("Item", Name=name, Type="Service", IncomeAccountRef=ref("87"), UnitPrice=15)["Id"]
            for name in ("Labor", "Pump")
        ]
        self.items = made
        self.klass = company.make("Class", Name="Residential")["Id"]
        self.place = company.make("Department", Name="North")["Id"]
        with intuit.adapter.app.state.transaction():
            group = {"ItemGroupDetail": {"ItemGroupLine": [{"ItemRef": ref(id), "Qty": 1} for id in made]}}
            body = {"Name": "Fountain", "Type": "Group", "Active": True, "FullyQualifiedName": "Fountain"}
            self.bundle = intuit.adapter.app.vendors["intuit"].books(REALM).insert("Item", body | group).id
        self.numbers = count(1)

    def sale(self, item: int = 0, quantity="2", price="15", tax="TAX", words="Work", own=(), bare=False) -> dict:
        amount = float(cents(Decimal(quantity) * Decimal(price)))
        factors = {} if bare else {"Qty": float(quantity), "UnitPrice": float(price)}
        detail = {"ItemRef": ref(self.items[item]), "TaxCodeRef": ref(tax), **factors}
        extra = {name: ref(self.klass) if name == "ClassRef" else OWN[name] for name in own}
        return {"DetailType": SALE, "Amount": amount, SALE: detail | extra} | ({"Description": words} if words else {})

    def words(self, text: str, own=()) -> dict:
        detail = {"ServiceDate": OWN["ServiceDate"]} if "ServiceDate" in own else {}
        return {"DetailType": "DescriptionOnly", "Description": text, "DescriptionLineDetail": detail}

    def group(self) -> dict:
        detail = {"GroupItemRef": ref(self.bundle), "Quantity": 2, "ServiceDate": OWN["ServiceDate"]}
        return {"DetailType": GROUP, GROUP: {**detail, "ClassRef": ref(self.klass)}, "Description": "A fountain"}

    def shipping(self) -> dict:
        detail = {"ItemRef": ref("SHIPPING_ITEM_ID"), "TaxCodeRef": ref("NON")}
        return {"DetailType": SALE, "Amount": 12.5, SALE: detail}

    def discount(self, percent=None, amount=None) -> dict:
        kept = {"DiscountAccountRef": ref("86"), "ClassRef": ref(self.klass)}
        if percent:
            return {"DetailType": DISCOUNT, DISCOUNT: {"PercentBased": True, "DiscountPercent": percent, **kept}}
        return {"DetailType": DISCOUNT, "Amount": amount, DISCOUNT: {"PercentBased": False, **kept}}

    def estimate(self) -> str:
        return self.company.make("Estimate", CustomerRef=ref(self.customer), Line=[self.sale()])["Id"]

    def bill(self, *lines: dict, **header) -> dict:
        values = {
            "CustomerRef": ref(self.customer), "Line": list(lines), "ClassRef": ref(self.klass),
            "DepartmentRef": ref(self.place), "TxnTaxDetail": {"TxnTaxCodeRef": ref("2")}, "SalesTermRef": ref("3"),
            "CustomField": [{"DefinitionId": "1", "Name": "Crew", "Type": "StringType", "StringValue": "B"}],
            "BillEmailCc": {"Address": "cc@example.com"}, "AllowOnlineACHPayment": True, "PrivateNote": "Call first",
            "ApplyTaxAfterDiscount": True,
        } | header  # fmt: skip
        return self.company.make("Invoice", **values)


@pytest.fixture
def paper(company, intuit) -> Paper:
    return Paper(company, intuit)


def read(books, id: str):
    return books.get("Invoice", [id])[id]


def edited(books, body: dict, change, **more):
    """Writes the invoice as FieldCamp has it, with a change of its lines: what became of it."""
    seen = read(books, body["Id"])
    lines = copy.deepcopy(seen.fields["lines"])
    change(lines)
    fields = {name: seen.fields[name] for name in ("lines", "discount", "tax_code") if name in seen.fields}
    [outcome] = books.write("Invoice", [update(seen, **{**fields, "lines": lines, **more})])
    return outcome, lines


def written(books, body: dict, change, **more):
    outcome, lines = edited(books, body, change, **more)
    assert outcome.error is None, (outcome.error, outcome.error.detail)
    return outcome.record, lines


def priced(line: dict, **changes) -> None:
    line |= changes
    line["amount"] = cents(Decimal(line["quantity"]) * Decimal(line["unit_price"]))


# --- any document, any edit -------------------------------------------------------------------------------------------

PRICES = st.decimals(1, 500, places=4).map(plain)
OWNED = st.sets(st.sampled_from(sorted(OWN)))
SALES = st.tuples(
    st.just("sale"), st.integers(0, 1), st.decimals("0.25", 9, places=2).map(plain), PRICES,
    st.sampled_from(["TAX", "NON"]), st.sampled_from(["", "Work", "Work"]), OWNED, st.booleans(),
)  # fmt: skip
ROWS = st.lists(
    SALES | st.tuples(st.just("words"), st.sampled_from(["As agreed", "Thank you"]), OWNED) | st.just(("group",)),
    min_size=1, max_size=5,
).filter(lambda rows: any(row[0] == "sale" for row in rows))  # fmt: skip
BELOW = st.sampled_from([(), ("percent",), ("amount",), ("shipping",), ("percent", "shipping")])
EDITS = st.sampled_from(["words", "quantity", "price", "item", "taxable", "append", "insert", "remove", "move"])


def drawn(paper: Paper, rows, below) -> list[dict]:
    made = []
    for kind, *values in rows:
        if kind == "sale":
            item, quantity, price, tax, words, own, bare = values
            made.append(paper.sale(item, quantity, price, tax, words, own, bare))
        else:
            made.append(paper.words(*values) if kind == "words" else paper.group())
    extra = {"percent": lambda: paper.discount(percent=10), "amount": lambda: paper.discount(amount=0.05)}
    return made + [extra.get(name, paper.shipping)() for name in below]


def own_rows(body: dict) -> list[dict]:
    return [row for row in body["Line"] if row["DetailType"] not in (SUBTOTAL, DISCOUNT)]


@pytest.mark.slow
@FEW
@given(rows=ROWS, below=BELOW, edit=EDITS, which=st.integers(0, 9))
def test_nothing_but_the_edited_value_and_what_follows_by_sum_differs(books, paper, rows, below, edit, which):
    before = paper.bill(*drawn(paper, rows, below))
    sales = [row for row in own_rows(before) if row["DetailType"] == SALE and row.get("Id")]
    assume(edit != "remove" or len(own_rows(before)) > 1)
    chosen = sales[which % len(sales)]
    flat = [part for row in own_rows(before) for part in (row[GROUP]["Line"] if GROUP in row else [row])]
    place = flat.index(chosen)
    new = {
        "item": paper.items[0], "description": "Extra", "quantity": "1", "unit_price": "7.25", "amount": "7.25",
        "taxable": False,
    }  # fmt: skip

    def change(lines):
        line = lines[place]
        if edit == "words":
            line["description"] = "Other words"
        elif edit == "quantity":
            priced(line, quantity=plain(Decimal(line["quantity"]) + 1))
        elif edit == "price":
            priced(line, unit_price="42.42")
        elif edit == "item":
            line["item"] = paper.items[1 - paper.items.index(line["item"])]
        elif edit == "taxable":
            line["taxable"] = not line["taxable"]
        elif edit in ("append", "insert"):
            lines.insert(len(lines) if edit == "append" else 0, new)
        elif edit == "move":
            lines.insert(0, lines.pop(place))
        else:
            del lines[place]

    outcome, wanted = edited(books, before, change)
    if outcome.error is not None:  # it may be asked about, and then nothing is written
        assert isinstance(outcome.error, errors.Rejected) and outcome.error.reason == "holds_more", outcome.error.detail
        assert edit in ("insert", "append", "remove", "move")
        assert paper.company.read("Invoice", before["Id"]) == before
        return
    after = paper.company.read("Invoice", before["Id"])
    assert {n: v for n, v in after.items() if n not in FOLLOWS} == {n: v for n, v in before.items() if n not in FOLLOWS}
    if not (edit == "append" and below and "shipping" in below):  # which stands below all lines
        assert read(books, before["Id"]).fields["lines"] == wanted
    old, now = ({row.get("Id"): row for row in own_rows(body)} for body in (before, after))
    numbered = edit in ("append", "insert", "remove", "move")
    if edit == "remove":  # one of several that are alike in all is as good as the other
        alike = next(row for id, row in old.items() if id not in now)
        assert nameless(alike) == nameless(chosen)
        chosen = alike
    for id, row in old.items():
        if id != chosen["Id"] and id is not None:
            assert plainly(now[id], numbered) == plainly(row, numbered)
    if edit in ("words", "quantity", "price", "item", "taxable"):
        assert [row.get("Id") for row in own_rows(after)] == [row.get("Id") for row in own_rows(before)]
        allowed = {"words": {"Description"}, "item": {"ItemRef", "ItemAccountRef"}, "taxable": {"TaxCodeRef"}}.get(
            edit, {"Amount", "Qty", "UnitPrice", "DiscountAmt"}
        )
        assert differing(chosen, now[chosen["Id"]]) <= allowed
    elif edit != "remove":
        assert plainly(now[chosen["Id"]], True) == plainly(chosen, True)
    if edit in ("words", "item", "move"):
        assert after["TxnTaxDetail"] == before["TxnTaxDetail"] and after["TotalAmt"] == before["TotalAmt"]
    kept = [{**row, "Amount": 0} for row in before["Line"] if row["DetailType"] == DISCOUNT]
    assert [{**row, "Amount": 0} for row in after["Line"] if row["DetailType"] == DISCOUNT] == kept


def plainly(row: dict, numbered: bool) -> dict:
    """A row, without its number where rows have been put before it."""
    if not numbered:
        return row
    found = {name: value for name, value in row.items() if name != "LineNum"}
    if GROUP in row:
        found[GROUP] = {**row[GROUP], "Line": [plainly(part, True) for part in row[GROUP]["Line"]]}
    return found


def nameless(row: dict) -> dict:
    return {name: value for name, value in row.items() if name not in ("Id", "LineNum")}


def differing(one: dict, other: dict) -> set[str]:
    flat = [{**row, **row[SALE], SALE: None} for row in (one, other)]
    return {name for name in {**flat[0], **flat[1]} if flat[0].get(name) != flat[1].get(name)}


# --- what is asked about ----------------------------------------------------------------------------------------------


def refused(books, paper, before, change, **more) -> str:
    """Tries a change that is not made: its sentence."""
    outcome, _ = edited(books, before, change, **more)
    assert isinstance(outcome.error, errors.Rejected) and outcome.error.reason == "holds_more"
    assert paper.company.read("Invoice", before["Id"]) == before
    return str(outcome.error)


def test_a_line_of_an_estimate_keeps_its_link_and_is_not_taken_off(books, paper):
    from_estimate = paper.sale() | {"LinkedTxn": [{"TxnId": paper.estimate(), "TxnType": "Estimate"}]}
    before = paper.bill(from_estimate, paper.sale(1, words="More"))
    written(books, before, lambda lines: priced(lines[0], quantity="3"))
    after = paper.company.read("Invoice", before["Id"])
    assert after["Line"][0]["LinkedTxn"] == before["Line"][0]["LinkedTxn"] and after["LinkedTxn"] == before["LinkedTxn"]
    assert "made from an estimate" in refused(books, paper, after, lambda lines: lines.pop(0))
    other = {"item": paper.items[1], "description": "Another thing"}
    assert "made from an estimate" in refused(books, paper, after, lambda lines: lines[0].update(other))


def test_a_part_of_a_bundle_is_not_changed(books, paper):
    before = paper.bill(paper.group(), paper.sale())
    assert "part of a bundle" in refused(books, paper, before, lambda lines: priced(lines[1], quantity="9"))
    assert "part of a bundle" in refused(books, paper, before, lambda lines: lines.pop(1))
    assert "part of a bundle" in refused(books, paper, before, lambda lines: lines.insert(1, dict(lines[2])))
    record, _ = written(books, before, lambda lines: lines.__delitem__(slice(0, 2)))  # the whole of it may go
    assert [line["description"] for line in record.fields["lines"]] == ["Work"]


def test_of_equal_lines_that_differ_there_none_is_guessed(books, paper):
    before = paper.bill(paper.sale(own=["ClassRef"]), paper.sale())
    assert "several equal lines “Work”" in refused(books, paper, before, lambda lines: lines.pop())
    record, _ = written(books, before, lambda lines: priced(lines[1], quantity="5"))
    after = paper.company.read("Invoice", record.id)
    assert after["Line"][0] == before["Line"][0] and after["Line"][1][SALE]["Qty"] == 5


def test_what_has_more_places_there_keeps_them(books, paper):
    body = paper.sale(quantity="3", price="3.3333")
    body[SALE] |= {"Qty": 0.333333, "UnitPrice": 30.00003}
    before = paper.bill(body | {"Amount": 10})
    seen = read(books, before["Id"]).fields["lines"][0]
    assert (seen["quantity"], seen["amount"]) == ("0.33333", "10.00")
    written(books, before, lambda lines: priced(lines[0], unit_price="60"))
    after = paper.company.read("Invoice", before["Id"])["Line"][0]
    assert differing(before["Line"][0], after) == {"UnitPrice", "Amount"} and after["Amount"] == 20
    written(books, before, lambda lines: priced(lines[0], unit_price="6000000"))  # where the places tell
    after = paper.company.read("Invoice", before["Id"])["Line"][0]
    assert (after[SALE]["Qty"], after["Amount"]) == (0.33333, 1999980)


def test_an_amount_beside_its_factors_is_read_as_it_is(books, paper, intuit):
    body = paper.bill(paper.sale(quantity="3", price="3.33"))
    rows = copy.deepcopy(body["Line"])
    rows[0]["Amount"] = 10
    rewrite(intuit, "Invoice", body["Id"], Line=rows, TotalAmt=10.8)
    line = read(books, body["Id"]).fields["lines"][0]
    assert (line["quantity"], line["unit_price"], line["amount"]) == ("3", "3.3333333", "10.00")


def test_a_line_without_an_item_would_lose_its_amount(books, paper, intuit):
    body = paper.bill(paper.sale(), paper.sale(1, words="By hand"))
    rows = copy.deepcopy(body["Line"])
    del rows[1][SALE]["ItemRef"]
    rewrite(intuit, "Invoice", body["Id"], Line=rows)
    before = paper.company.read("Invoice", body["Id"])
    change = lambda lines: lines[0].update(description="Words")  # noqa: E731
    assert "“By hand” of this invoice has no item" in refused(books, paper, before, change)


# --- tax and discount -------------------------------------------------------------------------------------------------


def test_words_restate_no_tax(books, paper):
    before = paper.bill(paper.sale(), TxnTaxDetail={"TxnTaxCodeRef": ref("2"), "TotalTax": 1.11})
    written(books, before, lambda lines: lines[0].update(description="Other words"), tax_total="2.40", memo="New")
    after = paper.company.read("Invoice", before["Id"])
    assert (after["TxnTaxDetail"], after["TotalAmt"]) == (before["TxnTaxDetail"], 31.11)
    written(books, before, lambda lines: priced(lines[0], quantity="4"), tax_total="4.80")
    assert paper.company.read("Invoice", before["Id"])["TxnTaxDetail"]["TotalTax"] == 4.8


def test_a_tax_that_the_company_does_not_collect_any_more_is_not_taken_off(fresh, paper, intuit):
    before = paper.bill(paper.sale())
    rewrite(intuit, "Preferences", "1", TaxPrefs={"UsingSalesTax": False})
    books = fresh()
    assert "tax_code" not in read(books, before["Id"]).fields
    change = lambda lines: lines[0].update(description="Words")  # noqa: E731
    assert "bears a tax" in refused(books, paper, before, change)


@pytest.mark.parametrize(
    ("discount", "amount"), [({"percent": "20"}, 6), ({"amount": "7.00"}, 7), (None, None)], ids=str
)
def test_a_discount_keeps_its_account_and_class(books, paper, discount, amount):
    before = paper.bill(paper.sale(own=["ClassRef"]), paper.discount(percent=10))
    written(books, before, lambda lines: None, discount=discount)
    after = paper.company.read("Invoice", before["Id"])
    assert after["Line"][0] == before["Line"][0]
    rows = [row for row in after["Line"] if row["DetailType"] == DISCOUNT]
    if discount is None:
        assert rows == []
        return
    assert rows[0]["Amount"] == amount
    kept = ("DiscountAccountRef", "ClassRef")
    assert [rows[0][DISCOUNT][name] for name in kept] == [before["Line"][2][DISCOUNT][name] for name in kept]


def test_a_percentage_with_more_places_than_ours_is_left_as_it_is(books, paper):
    before = paper.bill(paper.sale(), paper.discount(percent=33.33333333))
    assert read(books, before["Id"]).fields["discount"] == {"percent": "33.333333"}
    written(books, before, lambda lines: priced(lines[0], quantity="4"))
    discount = paper.company.read("Invoice", before["Id"])["Line"][-1]
    assert (discount[DISCOUNT], discount["Amount"]) == (before["Line"][-1][DISCOUNT], 20)


# --- how it is done ---------------------------------------------------------------------------------------------------


def test_what_has_moved_on_is_looked_at_again(books, paper):
    before = paper.bill(paper.sale())
    seen = read(books, before["Id"])
    paper.company.edit("Invoice", before["Id"], PrivateNote="Theirs")
    lines = [{**seen.fields["lines"][0], "description": "Ours"}]
    [outcome] = books.write("Invoice", [update(seen, lines=lines, discount=None, tax_code="2")])
    assert isinstance(outcome.error, errors.Stale)
    paper.company.delete("Invoice", before["Id"])
    [outcome] = books.write("Invoice", [update(seen, lines=lines, discount=None, tax_code="2")])
    assert isinstance(outcome.error, errors.Gone)


def test_one_read_serves_a_batch_and_what_is_so_already_is_not_written(books, paper, intuit):
    bills = [paper.bill(paper.sale(), DocNumber=f"N-{number}") for number in range(6)]
    seen = [read(books, bill["Id"]) for bill in bills]
    books.company(), books.references("tax_code")
    operations = []
    for number, record in enumerate(seen):
        [line] = record.fields["lines"]
        priced(line := dict(line), quantity=str(number + 2))
        operations.append(update(record, str(number), lines=[line], discount=None, tax_code="2"))
    intuit.forget_requests()
    outcomes = books.write("Invoice", operations)
    assert [outcome.error for outcome in outcomes] == [None] * 6
    assert [row["path"].rsplit("/", 1)[-1] for row in intuit.requests()] == ["query", "batch"]
    assert outcomes[0].record.tag == seen[0].tag  # two of them it was before
    assert outcomes[1].record.tag != seen[1].tag
