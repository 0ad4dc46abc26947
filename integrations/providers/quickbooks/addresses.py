"""Where things are in a company's books, and how a query is written.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from fieldcamp.texts import masked

MINOR_VERSION = "75"
PAGE = 1000  # rows that one query may return
_COMPANY = re.compile(r"[0-9]{1,20}")
# A company's id in an address, and in words: there it is known by its length, which ids of records do not have.
_COMPANY_IN = re.compile(r"(?<=/company/)[0-9]+|(?<=/companyinfo/)[0-9]+|(?<![0-9])[0-9]{15,20}(?![0-9])")
_ID = re.compile(r"[0-9]{1,20}")


def is_company(realm_id: str) -> bool:
    """Returns whether it may stand in an address: a browser brought it."""
    return _COMPANY.fullmatch(realm_id) is not None


def is_id(text: str) -> bool:
    """Returns whether it has the form of an id that QuickBooks gives."""
    return _ID.fullmatch(text) is not None


def company(realm_id: str, path: str, **params: str) -> str:
    """Returns a path of the company, as a whole address."""
    query = urlencode({**params, "minorversion": MINOR_VERSION}, quote_via=quote)
    return f"{settings.QUICKBOOKS_API_URL}/v3/company/{realm_id}/{path}?{query}"


def shown(text: str) -> str:
    """Returns an address, or what QuickBooks says, with the company's id masked."""
    return _COMPANY_IN.sub(lambda found: masked(found[0]), text)


def is_for_trying_out() -> bool:
    """Returns whether the companies are those for trying out, which Intuit gives to developers: they have a host of
    their own."""
    return urlsplit(settings.QUICKBOOKS_API_URL).hostname == "sandbox-quickbooks.api.intuit.com"


def quoted(text: str) -> str:
    """Returns a value of a query."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def among(texts: Iterable[str]) -> str:
    return f"({', '.join(quoted(text) for text in texts)})"


def select(entity: str, *conditions: str, order: str = "", start: int = 1, limit: int = PAGE) -> str:
    """Returns one page of an entity's rows; of lists the inactive ones too, where `conditions` say so."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    by = f" ORDERBY {order}" if order else ""
    return f"SELECT * FROM {entity}{where}{by} STARTPOSITION {start} MAXRESULTS {limit}"  # noqa: S608 - Intuit's own language, values are quoted
