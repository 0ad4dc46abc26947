"""What has to be known of a company before anything is written into its books. Asked once for each client, when needed.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo · …/preferences
"""

import datetime as dt
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from integrations import errors
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.mapping import categories, credit_memos, items, taxes
from integrations.providers.quickbooks.mapping.parts import ref_id, text, without_deleted
from integrations.providers.quickbooks.mapping.sales_tax import TaxRules
from integrations.providers.reading import read_record
from integrations.records import Company, OpenCredit, Reference, RemoteRecord
from integrations.transport.client import utc_now

ALL = "Active IN (true, false)"  # a query for a list names the inactive rows only where it is asked for them
LAPSED = {"EXPIRED", "CANCELED", "CANCELLED", "SUSPENDED", "TERMINATED", "DELETED"}


class Books:
    def __init__(self, calls: Calls):
        self.calls = calls
        self._taxes: list[RemoteRecord] | None = None

    @cached_property
    def company(self) -> Company:
        realm_id = self.calls.realm_id
        info = _said(self.calls.get(f"companyinfo/{realm_id}"), "CompanyInfo")
        preferences = _said(self.calls.get("preferences"), "Preferences")
        currency = preferences.get("CurrencyPrefs") or {}
        facts = {row.get("Name"): str(row.get("Value")) for row in info.get("NameValue") or () if isinstance(row, dict)}
        return Company(
            id=realm_id,
            name=text(info, "CompanyName"),
            country=text(info, "Country"),
            currency=ref_id(currency, "HomeCurrency"),
            multi_currency=bool(currency.get("MultiCurrencyEnabled")),
            tax_mode=_tax_mode(text(info, "Country"), preferences.get("TaxPrefs") or {}),
            closed_until=text(preferences.get("AccountingInfoPrefs") or {}, "BookCloseDate")[:10],
            custom_numbers=bool((preferences.get("SalesFormsPrefs") or {}).get("CustomTxnNumbers")),
            subscription_active=facts.get("SubscriptionStatus", "").upper() not in LAPSED,
            class_tracking=categories.class_tracking(preferences.get("AccountingInfoPrefs") or {}),
            locations=bool((preferences.get("AccountingInfoPrefs") or {}).get("TrackDepartments")),
        )

    @cached_property
    def payment_methods(self) -> dict[str, str]:
        """Returns names by id, those in use first."""
        found = self.calls.select("PaymentMethod", ALL)
        return {
            row["Id"]: without_deleted(row, "Name")
            for row in sorted(found, key=lambda row: (row.get("Active") is False, int(row["Id"])))
        }

    def taxes(self) -> list[RemoteRecord]:
        """Reads each tax code with its rates."""
        codes = self.calls.select("TaxCode", ALL)
        rates = {row["Id"]: row for row in self.calls.select("TaxRate", ALL)}
        self._taxes = [
            read_record("tax", str(code["Id"]), partial(taxes.to_record, code, rates, self._today()))
            for code in codes
            if taxes.is_code(code)
        ]
        return self._taxes

    @cached_property
    def tax_rates(self) -> dict[str, Decimal]:
        """Returns the rate of each tax code, a fraction, by its id."""
        known = self.taxes() if self._taxes is None else self._taxes
        return {tax.id: Decimal(tax.fields["rate"]) for tax in known if not tax.fault}

    @cached_property
    def tax_rules(self) -> TaxRules:
        company = self.company
        currency = company.currency if company.multi_currency else ""
        if company.tax_mode not in ("foreign", "automated"):
            return TaxRules(company.tax_mode, currency=currency)
        known = self.taxes() if self._taxes is None else self._taxes
        active = [tax for tax in known if tax.fields.get("active")]
        exempt = tuple(tax.id for tax in active if tax.fields["rate"] == "0")
        taxed = [tax.id for tax in active if tax.id not in exempt]
        return TaxRules(
            company.tax_mode,
            exempt=exempt if company.tax_mode == "foreign" else (),
            some_code=next(iter([*taxed, *exempt]), ""),
            currency=currency,
        )

    def references(self, kind: str) -> list[Reference]:
        """Returns what a person can choose: "income_account", "item", "tax_code", "class", "location" or "terms"."""
        if kind == "income_account":
            found = self.calls.select("Account", "AccountType = 'Income'", ALL)
            return [_reference(row, "FullyQualifiedName", text(row, "AccountSubType")) for row in found]
        if kind == "item":
            found = [row for row in self.calls.select("Item", ALL) if items.is_item(row)]
            return [_reference(row, "FullyQualifiedName", text(row, "Type")) for row in found]
        if kind == "tax_code":
            known = [(tax.id, tax.fields) for tax in self.taxes() if not tax.fault]
            return [Reference(id, fields["name"], fields["rate"], fields["active"]) for id, fields in known]
        if kind in categories.LISTS:
            entity, name = categories.LISTS[kind]
            return [_reference(row, name, "") for row in self.calls.select(entity, ALL)]
        raise ValueError(f"There is no reference of the kind {kind!r}.")

    def open_credits(self) -> list[OpenCredit]:
        """Returns the credit memos that are not applied, or not all of it.

        https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo"""
        return [credit_memos.to_credit(row) for row in self.calls.select("CreditMemo", "Balance > '0'")]

    @staticmethod
    def _today() -> dt.date:
        return utc_now().date()


def _said(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns what is said under a name. A company of which nothing is said is none without taxes and closed books."""
    found = answer.get(name)
    if not isinstance(found, dict) or not found:
        raise errors.Unavailable("QuickBooks' answer was not what it should be.")
    return found


def _reference(row: dict[str, Any], name: str, detail: str) -> Reference:
    return Reference(row["Id"], text(row, name) or text(row, "Name"), detail, row.get("Active") is not False)


def _tax_mode(country: str, preferences: dict[str, Any]) -> str:
    if not preferences.get("UsingSalesTax"):
        return "none"
    if country not in ("", "US", "USA"):
        return "foreign"
    return "automated" if preferences.get("PartnerTaxEnabled") else "manual"
