"""What `/_control/switches` can set: how tokens rotate, and how a company behaves beyond its preferences."""

from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit.push import MIXED, VOID_WORD

# Of the vendor as a whole.
ROTATE_ALWAYS, REFRESH_GRACE = "rotate_every_refresh", "refresh_grace"
VENDOR_SWITCHES: dict[str, type] = {
    ROTATE_ALWAYS: bool,  # every refresh hands back a new refresh token, not only one after 24 hours
    REFRESH_GRACE: bool,  # the token before lives another 24 hours
    VOID_WORD: str,  # the verb of a CloudEvent when something is voided: "void", or "voided" as some say
    MIXED: bool,  # one post of a webhook may be about several companies
}
# Of one company.
COMPANY_SWITCHES: dict[str, type] = {
    "subscription": str,  # "active", or anything else: the company can be read only (6190)
    "user_is_admin": bool,  # False: whoever connected is no administrator any more (120)
    "duplicate_number_warning": bool,  # with custom numbers on: a number that is there already is refused (6140)
    "category_required": str,  # "class" or "location": an invoice without one is refused (6000)
    "void_refused_with_payments": bool,  # False: voiding a paid invoice gives the money back to its payments
    "false_deleted": str,  # e.g. "Invoice:130": CDC says that it is deleted although it is not
}


def check(known: dict[str, type], values: dict[str, Any]) -> None:
    """BadInput for an unknown switch or a value of the wrong kind; None takes a switch back."""
    for name, value in values.items():
        if name not in known:
            raise BadInput(f"Unknown switch {name!r}: use {', '.join(known)}.")
        if value is not None and type(value) is not known[name]:
            raise BadInput(f"{name} must be a {known[name].__name__}.")
