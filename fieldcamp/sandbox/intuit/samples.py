"""What is in the sample companies' books."""

from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

PLUMBING, NORTHERN = "9130001", "9130002"


@dataclass(frozen=True)
class Company:
    """A company on its first day."""

    realm: str
    name: str
    country: str
    currency: str
    zone: str
    email: str
    address: Body


def address(line: str, city: str, state: str, code: str, country: str = "USA") -> Body:
    """A postal address."""
    place = {"Line1": line, "City": city, "CountrySubDivisionCode": state, "PostalCode": code}
    return place | {"Country": country}


COMPANIES = (
    Company(PLUMBING, "Dana's Plumbing", "US", "USD", "America/Los_Angeles", "office@danasplumbing.test",
            address("12 Quail St", "Albany", "NY", "12206")),
    Company(NORTHERN, "Northern Lights Plumbing", "CA", "CAD", "America/Vancouver", "office@northernlights.test",
            address("44 Hastings St W", "Vancouver", "BC", "V6B 1G4", "Canada")),
)  # fmt: skip

# id, name, type, subtype. The numbers of the first ones are those of Intuit's own sample company.
ACCOUNTS = (
    ("1", "Services", "Income", "ServiceFeeIncome"),
    ("4", "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("33", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    ("34", "Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    ("35", "Checking", "Bank", "Checking"),
    ("36", "Savings", "Bank", "Savings"),
    ("79", "Sales of Product Income", "Income", "SalesOfProductIncome"),
    ("80", "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    ("81", "Inventory Asset", "Other Current Asset", "Inventory"),
    ("82", "Design income", "Income", "OtherPrimaryIncome"),
    ("84", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("86", "Discounts given", "Income", "DiscountsRefundsGiven"),
    ("87", "Plumbing Services", "Income", "ServiceFeeIncome"),
    ("88", "Shipping Income", "Income", "OtherPrimaryIncome"),
    ("89", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable"),
)
PAYMENT_METHODS = (("1", "Cash"), ("2", "Check"), ("3", "Visa"), ("4", "MasterCard"), ("5", "Bank transfer"))
TERMS = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))

# Rates: id, name, percent, agency. Codes: id, name, description, rates.
US_AGENCIES = (
    ("1", "Arizona Dept. of Revenue"),
    ("2", "Board of Equalization"),
    ("3", "New York State Department of Taxation"),
)
US_RATES = (
    ("1", "AZ State tax", "7.1", "1"),
    ("2", "Tucson City", "2", "1"),
    ("3", "California", "8", "2"),
    ("4", "New York State", "4", "3"),
    ("5", "Albany County", "4", "3"),
    ("6", "Rensselaer County", "4", "3"),
    ("7", "Schenectady County", "4", "3"),
)
US_CODES = (
    ("TAX", "TAX", "Taxable Sales", ()),
    ("NON", "NON", "Nontaxable Sales", ()),
    ("2", "California", "California", ("3",)),
    ("3", "Tucson", "Tucson", ("1", "2")),
    ("4", "Albany", "Albany County, New York", ("4", "5")),
    ("5", "Troy", "Rensselaer County, New York", ("4", "6")),
    ("6", "Schenectady", "Schenectady County, New York", ("4", "7")),
)
# Automated sales tax: state, town and the code that applies there; the first that fits. An empty town is any.
PLACES = (
    ("NY", "Troy", "5"),
    ("NY", "Schenectady", "6"),
    ("NY", "", "4"),
    ("AZ", "", "3"),
    ("CA", "", "2"),
)
CANADIAN_AGENCIES = (("1", "Canada Revenue Agency"), ("2", "BC Minister of Finance"))
CANADIAN_RATES = (
    ("1", "HST ON", "13", "1"),
    ("2", "GST", "5", "1"),
    ("3", "PST BC", "7", "2"),
    ("4", "GST exempt", "0", "1"),
)
CANADIAN_CODES = (
    ("2", "HST ON", "HST Ontario", ("1",)),
    ("3", "GST", "GST only", ("2",)),
    ("4", "GST/PST BC", "GST and PST of British Columbia", ("2", "3")),
    ("5", "Exempt", "Exempt", ("4",)),
)

# Name, price, taxable, kind, description, SKU.
ITEMS = (
    ("Service call", "95", False, "Service", "First half hour on site", ""),
    ("Labor, journeyman plumber", "120", False, "Service", "Per hour", ""),
    ("Labor, apprentice", "65", False, "Service", "Per hour", ""),
    ("Drain cleaning", "185", False, "Service", "Main or branch line, up to 50 feet", ""),
    ("Water heater flush", "149", False, "Service", "", ""),
    ("Leak detection", "225", False, "Service", "Acoustic and thermal", ""),
    ("Sewer camera inspection", "275", False, "Service", "With a recording", ""),
    ("Emergency surcharge", "75", False, "Service", "Nights and Sundays", ""),
    ("Water heater, 50 gal gas", "1249.99", True, "NonInventory", "Installed price without labor", "WH-50G"),
    ("Sump pump, 1/2 HP", "389.5", True, "NonInventory", "", "SP-12"),
    ("Kitchen faucet", "214.25", True, "NonInventory", "", "KF-01"),
    ("Copper pipe, 3/4 in", "6.333333", True, "NonInventory", "Per foot", "CP-34"),
    ("Services", "0", False, "Service", "", ""),  # every company of Intuit's begins with it
)


def _customer(name: str, email: str = "", phone: str = "", **more: Any) -> Body:
    mail = {"PrimaryEmailAddr": {"Address": email}} if email else {}
    return {"DisplayName": name} | mail | ({"PrimaryPhone": {"FreeFormNumber": phone}} if phone else {}) | more


# Some are clients of FieldCamp's demo company under the same name, some under the same e-mail address only, some both,
# as in books that were kept before the two were connected.
CUSTOMERS = (
    _customer("Alice Abbott", "alice.abbott@example.com", "(518) 555-0100", GivenName="Alice", FamilyName="Abbott",
              BillAddr=address("212 Delaware Ave", "Albany", "NY", "12208")),
    _customer("Ben Hoffman", "ben@hoffman.test", GivenName="Ben", FamilyName="Hoffman",
              BillAddr=address("48 Lark St", "Albany", "NY", "12210")),
    _customer("Ortiz, Clara", "clara.ortiz@example.com", GivenName="Clara", FamilyName="Ortiz",
              BillAddr=address("7 Quail St", "Troy", "NY", "12180")),
    _customer("Maple Street Bakery", "office@maplestreet.test", "+1 518 555 0150", CompanyName="Maple Street Bakery",
              BillAddr=address("1 Maple St", "Delmar", "NY", "12054")),
    _customer("Hudson Dental", "hudsondentalgroup@example.com", CompanyName="Hudson Dental Group, LLC",
              BillAddr=address("300 Western Ave", "Albany", "NY", "12208")),
    _customer("Northway Hardware", "ap@northway.test", CompanyName="Northway Hardware",
              BillAddr=address("90 Wolf Rd", "Albany", "NY", "12205")),
    _customer("Winters, Olga", "olga@winters.test", GivenName="Olga", FamilyName="Winters",
              BillAddr=address("15 Union St", "Schenectady", "NY", "12305")),
    _customer("Tucson Getaway House", "", "(520) 555-0144",
              BillAddr=address("77 Saguaro Way", "Tucson", "AZ", "85701")),
)  # fmt: skip
INACTIVE = _customer("Pine Court Motel", "desk@pinecourt.test")
VENDOR, EMPLOYEE = "Ferguson Supply", ("Marcus", "Bell")

NORTHERN_CUSTOMERS = (
    _customer("Lakeshore Condos", "office@lakeshore.test",
              BillAddr=address("5 Queen St W", "Toronto", "ON", "M5H 2M9", "Canada")),
    _customer("Juniper Cafe", "hello@juniper.test",
              BillAddr=address("210 Main St", "Vancouver", "BC", "V6A 2S8", "Canada")),
)  # fmt: skip
NORTHERN_ITEMS = (
    ("Furnace service", "140", True, "Service", "", ""),
    ("Furnace filter", "24.5", True, "NonInventory", "", "FF-16"),
)

# Customer's place in CUSTOMERS, days ago, lines as (item's place, quantity), tax code, and what was paid of it.
INVOICES = (
    (0, 52, ((0, "1"), (3, "1")), "", "all"),
    (3, 41, ((1, "2.5"), (9, "1")), "4", "200"),
    (5, 30, ((8, "1"), (1, "3")), "4", ""),
    (6, 12, ((6, "1"), (7, "1")), "", ""),
)
