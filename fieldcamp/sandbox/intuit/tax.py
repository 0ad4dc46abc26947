"""Tax codes, rates and agencies, and how an invoice of this company is taxed.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxservice
"""

from typing import Any

from fieldcamp.sandbox.intuit import errors, preferences, rate_history, sales_tax
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, Names, Property, texts
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.samples import PLACES
from fieldcamp.sandbox.intuit.shape import flag, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.totals import HUNDRED, ZERO, Rate

_ACTIVE = {"Active": Property("$.Active", "flag")}


def mode(books: Books) -> TaxMode:
    """Who says what tax an invoice bears in this company."""
    return preferences.tax_mode(books.the("CompanyInfo").body, books.the("Preferences").body)


def work_out(books: Books, asked: sales_tax.Asked, day: str) -> Body:
    """The TxnTaxDetail of a sale of that day."""
    return sales_tax.work_out(asked, lambda code: rates_of(books, code, day))


def rates_of(books: Books, code: str, day: str) -> list[Rate] | None:
    """The sales rates that a code had on a day, or None where there is no such code in use."""
    stored = books.get("TaxCode", code)
    if stored is None or not stored.active:
        return None
    details = stored.body.get("SalesTaxRateList", {}).get("TaxRateDetail", [])
    rates = [books.get("TaxRate", detail.get("TaxRateRef", {}).get("value", "")) for detail in details]
    return [Rate(each.id, rate_history.on(each.body, day)) for each in rates if each]


def code_for(books: Books, invoice: Body) -> str:
    """The code that automated sales tax finds for where the work is done, or an empty string."""
    place = invoice.get("ShipAddr") or invoice.get("BillAddr") or books.the("CompanyInfo").body["CompanyAddr"]
    state, town = place.get("CountrySubDivisionCode", ""), place.get("City", "").casefold()
    found = (code for in_state, city, code in PLACES if in_state == state and city.casefold() in ("", town))
    return next((code for code in found if books.get("TaxCode", code)), "")


def voided(detail: Body) -> Body:
    """The same detail of nothing."""
    lines = [
        line | {"Amount": 0, "TaxLineDetail": line["TaxLineDetail"] | {"NetAmountTaxable": 0}}
        for line in detail.get("TaxLine", [])
    ]
    return detail | {"TotalTax": 0} | ({"TaxLine": lines} if lines else {})


def create_code(books: Books, sent: Any) -> Body:
    """`POST /taxservice/taxcode`: a code with new rates, or with some that are there."""
    if not isinstance(sent, dict) or not isinstance(sent.get("TaxCode"), str) or not sent["TaxCode"].strip():
        raise errors.required("TaxCode")
    details = sent.get("TaxRateDetails")
    if not isinstance(details, list) or not details or not all(isinstance(each, dict) for each in details):
        raise errors.required("TaxRateDetails")
    if books.switch("subscription", "active") != "active":
        raise errors.lapsed()
    with books.store.state.transaction():
        name = sent["TaxCode"].strip()
        _unused(books, "TaxCode", name, "tax code")
        rates = [_rate(books, each) for each in details]
        if len(set(rates)) < len(rates):
            raise errors.business("A tax rate may appear only once in a tax code.")
        made = books.insert("TaxCode", code_body(name, name, [(each, _name(books, each)) for each in rates]))
    echo = [each | {"TaxRateId": rate} for each, rate in zip(details, rates, strict=True)]
    return {"TaxCode": name, "TaxCodeId": made.id, "TaxRateDetails": echo}


def _rate(books: Books, sent: Body) -> str:
    if sent.get("TaxRateId"):
        stored = books.get("TaxRate", str(sent["TaxRateId"]))
        if stored is None:
            raise errors.invalid_reference("TaxRate", sent["TaxRateId"], "TaxRateId")
        return stored.id
    name, agency = sent.get("TaxRateName"), str(sent.get("TaxAgencyId") or "")
    if not isinstance(name, str) or not name.strip():
        raise errors.required("TaxRateName")
    if books.get("TaxAgency", agency) is None:
        raise errors.invalid_reference("TaxAgency", agency, "TaxAgencyId")
    percent = decimal(numeric()(books, "TaxCode", "RateValue", sent.get("RateValue")))
    if not ZERO <= percent <= HUNDRED:
        raise errors.business("A tax rate must be from 0 to 100.", "RateValue")
    _unused(books, "TaxRate", name.strip(), "tax rate")
    return books.insert("TaxRate", rate_body(name.strip(), str(percent), agency)).id


def _unused(books: Books, entity: str, name: str, whose: str) -> None:
    if books.store.named(books.realm, entity, name.casefold()):
        raise errors.duplicate_name(whose)


def _name(books: Books, rate: str) -> str:
    return str(books.the("TaxRate", rate).body["Name"])


def code_body(name: str, description: str, rates: list[tuple[str, str]]) -> Body:
    """A tax code of these rates, by id and name."""
    details = [
        {"TaxRateRef": {"value": rate, "name": label}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        for rate, label in rates
    ]
    return {
        "Name": name,
        "Description": description,
        "Active": True,
        "Hidden": False,
        "Taxable": name != "NON",
        "TaxGroup": name not in sales_tax.PSEUDO,
        "TaxCodeConfigType": "SYSTEM_GENERATED" if name in sales_tax.PSEUDO else "USER_DEFINED",
        "SalesTaxRateList": {"TaxRateDetail": details},
        "PurchaseTaxRateList": {"TaxRateDetail": []},
    }


def rate_body(name: str, percent: str, agency: str) -> Body:
    """A tax rate."""
    value = number(decimal(percent))
    return {
        "Name": name,
        "Description": name,
        "Active": True,
        "RateValue": value,
        "AgencyRef": {"value": agency},
        "SpecialTaxType": "NONE",
        "DisplayType": "ReadOnly",
        "EffectiveTaxRate": [{"RateValue": value, "EffectiveDate": rate_history.FIRST}],
    }


def agency_body(name: str) -> Body:
    """A tax agency."""
    return {"DisplayName": name, "TaxTrackedOnSales": True, "TaxTrackedOnPurchases": False}


def _prepare_agency(books: Books, draft: Body, *_: Any) -> None:
    draft.update(agency_body(draft["DisplayName"]))


NO_WRITES: frozenset[str] = frozenset()
TAX_CODE = Entity(
    name="TaxCode",
    segment="taxcode",
    operations=NO_WRITES,
    names=Names("Name", "TaxCode", "tax code"),
    fields={"Name": text(100), "Active": flag()},
    filterable={**texts("Name", "Description"), **_ACTIVE},
    in_cdc=False,
)
TAX_RATE = Entity(
    name="TaxRate",
    segment="taxrate",
    operations=NO_WRITES,
    names=Names("Name", "TaxRate", "tax rate"),
    fields={"Name": text(100), "Active": flag()},
    filterable={**texts("Name", "Description"), **_ACTIVE},
    in_cdc=False,
    respond=rate_history.show,
)
TAX_AGENCY = Entity(
    name="TaxAgency",
    segment="taxagency",
    required=("DisplayName",),
    operations=frozenset({"create"}),
    names=Names("DisplayName", "TaxAgency", "tax agency"),
    fields={"DisplayName": text(100)},
    ignored=frozenset({"TaxTrackedOnSales", "TaxTrackedOnPurchases", "TaxAgencyConfig"}),
    filterable=texts("DisplayName"),
    in_cdc=False,
    prepare=_prepare_agency,
)
COMPANY_INFO = Entity(
    name="CompanyInfo",
    segment="companyinfo",
    is_list=False,
    single=True,
    operations=NO_WRITES,
    fields={},
    filterable=texts("CompanyName"),
    respond=preferences.show_subscription,
)
PREFERENCES = Entity(
    name="Preferences",
    segment="preferences",
    is_list=False,
    single=True,
    operations=NO_WRITES,
    fields={},
    in_cdc=False,
)
