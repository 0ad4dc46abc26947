"""Who and what is in the messy books. The sites and some of the names are those of Intuit's sample company."""

from typing import Any

from fieldcamp.sandbox.intuit.samples import address
from fieldcamp.sandbox.people import PEOPLE, STREETS

Body = dict[str, Any]

# Name and the one above it.
CLASSES = (("Residential", ""), ("Commercial", ""), ("Service contracts", "Commercial"))
DEPARTMENTS = (("Albany", ""), ("Troy", ""))
# Name, price, description.
SERVICES = (
    ("Design", 75, "Custom design"),
    ("Gardening", 35, "Weekly service, per hour"),
    ("Concrete", 9.5, "Concrete for fountain installation"),
)
# Name, price, cost, quantity on hand.
GOODS = (("Rock Fountain", 275, 125, 10), ("Pump", 12.75, 8, 40), ("Sprinkler heads", 2, 0.75, 100))


def _customer(name: str, email: str = "", phone: str = "", **more: Any) -> Body:
    mail = {"PrimaryEmailAddr": {"Address": email}} if email else {}
    return {"DisplayName": name} | mail | ({"PrimaryPhone": {"FreeFormNumber": phone}} if phone else {}) | more


_FREEMAN = {
    "CompanyName": "Freeman Sporting Goods",
    "PrintOnCheckName": "Freeman Sporting Goods",
    "PrimaryEmailAddr": {"Address": "Sporting_goods@intuit.com"},
    "Taxable": True,
}
CUSTOMERS = (
    _customer("Amy's Bird Sanctuary", "Birds@Intuit.com", "(650) 555-3311", GivenName="Amy", FamilyName="Lauterbach",
              CompanyName="Amy's Bird Sanctuary", BillAddr=address("4581 Finch St.", "Bayshore", "CA", "94326"),
              ShipAddr=address("4581 Finch St.", "Bayshore", "CA", "94326")),
    # The same person again, as a list of contacts wrote her, and once more with another hand's spelling.
    _customer("Lauterbach, Amy", "birds@intuit.com", "650-555-3311", Notes="see Amy's Bird Sanctuary"),
    _customer("AMY LAUTERBACH", "", "+1 650 555 3311 x2"),
    _customer("Bill's Windsurf Shop", "Surf@Intuit.com", "(415) 444-6538", GivenName="Bill", FamilyName="Lucchini",
              CompanyName="Bill's Windsurf Shop", BillAddr=address("12 Ocean Dr.", "Half Moon Bay", "CA", "94213"),
              Taxable=False),
    _customer("Freeman Sporting Goods", "", "(650) 555-0987", **_FREEMAN, Notes="Pays for its sites once a month",
              Mobile={"FreeFormNumber": "(973) 555-8849"}, AlternatePhone={"FreeFormNumber": "(973) 555-8850"},
              BillAddr=address("370 Easy St.", "Middlefield", "CA", "94482")),
    _customer("Red Rock Diner", "diner@redrock.test, owner@redrock.test", "(650) 555-4973",
              GivenName="Stephanie", FamilyName="Martini", CompanyName="Red Rock Diner",
              BillAddr={"Line1": "500 Red Rock Rd.", "City": "Bayshore", "CountrySubDivisionCode": "CA"}),
    _customer("Sonnenschein Family Store", "Familiystore@intuit.com", "(650) 557-8463",
              GivenName="Russ", FamilyName="Sonnenschein", CompanyName="Sonnenschein Family Store",
              BillAddr={"Line1": "Russ Sonnenschein", "Line2": "Sonnenschein Family Store",
                        "Line3": "5647 Cypress Hill Ave.", "Line4": "Middlefield, CA  94303"},
              ShipAddr=address("5647 Cypress Hill Ave.", "Middlefield", "CA", "94303")),
    _customer("Weiskopf, Nicola", "nicola@weiskopf.test", GivenName="Nicola", FamilyName="Weiskopf",
              PrintOnCheckName="N. Weiskopf Consulting", SalesTermRef={"value": "1"}),
    _customer("Whitehead, Mark", "", "", BillAddr={"Line1": "Mark Whitehead, the blue house by the bridge"}),
    _customer("Dylan Sollfrank", GivenName="Dylan", FamilyName="Sollfrank"),
    _customer("Dr. Maria L. O'Brien-Núñez & Sons, Inc. (new owner)", "office@obrien.test",
              CompanyName="O'Brien-Núñez & Sons"),
    # One address for two households.
    _customer("Flat 2, 18 Pine St", "caretaker@pine.test", "(518) 555-0190"),
    _customer("Flat 3, 18 Pine St", "Caretaker@pine.test", "(518) 555-0190"),
)  # fmt: skip
# The customer above, and the one below it.
SITES = (
    ("Freeman Sporting Goods", _customer("0969 Ocean View Road", "", "(650) 555-9999", **_FREEMAN, GivenName="Sasha",
     FamilyName="Tillou", BillAddr=address("370 Easy St.", "Middlefield", "CA", "94482"))),
    ("Freeman Sporting Goods", _customer("55 Twin Lane", "", "(650) 555-0987", **_FREEMAN, GivenName="Amelia",
     BillWithParent=True, BillAddr=address("370 Easy St.", "Middlefield", "CA", "94482"))),
    ("0969 Ocean View Road", _customer("Kitchen")),
    ("Red Rock Diner", _customer("Lauterbach, Amy (site)", "birds@intuit.com")),
)  # fmt: skip
INACTIVE = (
    _customer("Gevelber Photography", "Photography@intuit.com", "(415) 222-4345"),
    _customer("Dylan Sollfrank (old)", "dylan@sollfrank.test"),
    _customer("Freeman, Kirby", "Sporting_goods@intuit.com"),
)
NORTHERN_CUSTOMER = _customer("Lakeshore Condos, Strata 114", "office@lakeshore.test, strata@lakeshore.test",
                              BillAddr=address("210 Main St", "Vancouver", "BC", "V6A 2S8", "Canada"))  # fmt: skip


def messy_customer(n: int) -> Body:
    """The n-th of any number of customers as they come out of old lists: ten kinds, again and again.

    Two neighbours share an address, written in two ways; some have a name alone, some are long inactive.
    """
    given, family = PEOPLE[n // 2 % len(PEOPLE)][1], PEOPLE[n * 5 // len(PEOPLE) % len(PEOPLE)][2]
    shared = f"{given}.{n // 2}@example.com".lower()
    parts = {"GivenName": given, "FamilyName": family}
    street, phone = f"{100 + n % 900} {STREETS[n % 7]}", f"518-55{n // 10000 % 10}-{n % 10000:04d}"
    kinds: tuple[Body, ...] = (
        _customer(f"{given} {family} {n}", shared, f"({phone[:3]}) {phone[4:]}", **parts,
                  BillAddr=address(street, "Albany", "NY", f"{12200 + n % 60}")),
        _customer(f"{family}, {given} {n}", shared.capitalize(), phone, **parts),
        _customer(f"{family} & Sons, Inc. {n}", shared, CompanyName=f"{family} & Sons", BillAddr={"Line1": street}),
        _customer(f"{family} {n}", f"{shared}, office.{n}@example.com", phone.replace("-", ".")),
        _customer(f"{given} {n}"),
        _customer(f"{street}, Apt {n}"),
        _customer(f"{given} {family} {n} (deleted)", shared, Active=False),
        _customer(f"{family.upper()}, {given.upper()} {n}", shared.upper(), Active=n % 20 < 10),
        _customer(f"Mrs. {given} {family} Jr. {n}", "", f"+1 {phone} x{n % 90 + 10}", **parts, Title="Mrs.",
                  Suffix="Jr."),
        _customer(f"{given} and {family} {n}", f"{family}.{n}@example.com".lower(), **parts,
                  BillAddr={"Line1": f"{given} {family}", "Line2": street, "Line3": "Albany, NY  12208"}),
    )  # fmt: skip
    found = kinds[n % len(kinds)]
    if not found.get("Active", True) and not found["DisplayName"].endswith(" (deleted)"):
        found |= {"DisplayName": f"{found['DisplayName']} (deleted)"}
    return found
