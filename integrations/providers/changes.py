"""What vendors have announced, each in its vendor's folder (`Provider.changes`): what it means here, and when somebody
has read the vendor's page last. `manage.py doctor --vendors` shows them; docs/vendors.md is the same as a page."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Concerns(StrEnum):
    """Whom a change asks to do something."""

    NOBODY = "nobody"  # the code goes along with it
    APP = "app"  # whoever has an app at the vendor
    ACCOUNTS = "accounts"  # whoever has accounts connected there


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorChange:
    """One announcement. `on` is the day from which it holds, `what` it says, `here` what FieldCamp does about it,
    `todo` what is asked of an operator whom it `concerns` ("" for nothing), `read` the day on which `page` was read
    last."""

    on: dt.date
    what: str
    here: str
    page: str
    read: dt.date
    concerns: Concerns = Concerns.NOBODY
    todo: str = ""
