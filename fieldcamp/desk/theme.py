"""What the desk looks like: Unfold's settings."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": "FieldCamp Integrations",
    "SITE_HEADER": "FieldCamp",
    "SITE_SUBHEADER": "Integrations",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "ACCOUNT": {"navigation": [{"title": _("Your login"), "link": reverse_lazy("signin:security")}]},
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("fieldcamp/desk.css"),
        lambda request: static("fieldcamp/shell.css"),
    ],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("fieldcamp/icon.svg")},
    ],
    "ENVIRONMENT": "integrations.admin.navigation.environment",
    "DASHBOARD_CALLBACK": "integrations.admin.dashboard.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },  # fmt: skip
    },
    "SIDEBAR": {"navigation": "integrations.admin.navigation.sidebar"},
}
