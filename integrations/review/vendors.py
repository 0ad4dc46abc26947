"""The tables by the name that `manage.py review` takes."""

from integrations.review import google, intuit, microsoft, xero
from integrations.review.table import ReviewTable

TABLES: dict[str, ReviewTable] = {
    "intuit": intuit.table,
    "google": google.table,
    "microsoft": microsoft.table,
    "xero": xero.table,
}
