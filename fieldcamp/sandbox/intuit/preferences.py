"""What a company is and how it keeps its books: CompanyInfo and Preferences, and what follows from them.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/preferences
"""

from enum import StrEnum
from typing import Any

from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored

SUBSCRIBED, LAPSED = "PAID", "EXPIRED"
FIRST_TAX_CODE = "2"


class TaxMode(StrEnum):
    """Who says what tax an invoice bears."""

    NONE = "none"  # sales tax is switched off
    MANUAL = "manual"  # the code in the invoice's header
    AUTOMATED = "automated"  # the vendor, by the address
    FOREIGN = "foreign"  # a code on each line


def tax_mode(company: Body, preferences: Body) -> TaxMode:
    """The mode, as clients tell it from the two resources."""
    prefs = preferences["TaxPrefs"]
    if company["Country"] != "US":
        return TaxMode.FOREIGN
    if not prefs["UsingSalesTax"]:
        return TaxMode.NONE
    return TaxMode.AUTOMATED if prefs.get("PartnerTaxEnabled") else TaxMode.MANUAL


def with_tax_mode(preferences: Body, mode: TaxMode) -> Body:
    """The same preferences in another mode."""
    prefs = {name: value for name, value in preferences["TaxPrefs"].items() if name != "PartnerTaxEnabled"}
    prefs["UsingSalesTax"] = mode != TaxMode.NONE
    if mode == TaxMode.AUTOMATED:
        prefs["PartnerTaxEnabled"] = True
    return preferences | {"TaxPrefs": prefs}


def books_closed_until(preferences: Body) -> str:
    """The last closed day, or an empty string. The field is there only while books are closed."""
    return str(preferences["AccountingInfoPrefs"].get("BookCloseDate", ""))


def with_books_closed(preferences: Body, day: str) -> Body:
    """The same preferences with the books closed up to that day; with an empty string, open."""
    prefs = {name: value for name, value in preferences["AccountingInfoPrefs"].items() if name != "BookCloseDate"}
    return preferences | {"AccountingInfoPrefs": prefs | ({"BookCloseDate": day} if day else {})}


def with_sales_forms(preferences: Body, **values: Any) -> Body:
    """The same preferences with other choices about invoices."""
    return preferences | {"SalesFormsPrefs": preferences["SalesFormsPrefs"] | values}


def show_subscription(books: Books, shown: Body, stored: Stored) -> None:
    """Adds to a company's record whether it is paid for, and that it is a paid plan."""
    status = SUBSCRIBED if books.switch("subscription", "active") == "active" else LAPSED
    shown["NameValue"] = [*shown["NameValue"], {"Name": "SubscriptionStatus", "Value": status}]


def company_info(name: str, country: str, address: Body, email: str) -> Body:
    """A company's own record."""
    pairs = (
        ("NeoEnabled", "true"),
        ("IndustryType", "Plumbing, Heating, and Air-Conditioning Contractors"),
        ("OfferingSku", "QuickBooks Online Plus"),
        ("ItemCategoriesFeature", "true"),
    )
    return {
        "CompanyName": name,
        "LegalName": name,
        "CompanyAddr": address,
        "CustomerCommunicationAddr": address,
        "LegalAddr": address,
        "CustomerCommunicationEmailAddr": {"Address": email},
        "PrimaryPhone": {"FreeFormNumber": "(518) 555-0100"},
        "CompanyStartDate": "2024-01-01",
        "FiscalYearStartMonth": "January",
        "Country": country,
        "Email": {"Address": email},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "DefaultTimeZone": "America/New_York",
        "NameValue": [{"Name": pair, "Value": value} for pair, value in pairs],
    }


def preferences(currency: str) -> Body:
    """How a new company keeps its books: numbers by the vendor, net in 30 days, tax by code."""
    return {
        "EmailMessagesPrefs": {
            "InvoiceMessage": {"Subject": "Invoice", "Message": "Your invoice is attached."},
        },
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": True,
        },
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "AccountingInfoPrefs": {
            "UseAccountNumbers": False,
            "TrackDepartments": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "CustomerTerminology": "Customers",
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": False,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "DefaultDiscountAccount": "86",
            "AllowEstimates": True,
            "AllowServiceDate": False,
            "AllowShipping": False,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "CustomField": [],
            "DefaultTerms": {"value": "3"},
            "DefaultCustomerMessage": "Thank you for your business and have a great day!",
            "EmailCopyToCompany": False,
            "ETransactionAttachPDF": False,
            "IPNSupportEnabled": False,
            "UsingPriceLevels": False,
            "UsingProgressInvoicing": False,
        },
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": False, "BillableExpenseTracking": False},
        "TimeTrackingPrefs": {"UseServices": True, "BillCustomers": True, "WorkWeekStartDate": "Monday"},
        "TaxPrefs": {"UsingSalesTax": True, "TaxGroupCodeRef": {"value": FIRST_TAX_CODE}},
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": currency}},
        "OtherPrefs": {"NameValue": []},
    }
