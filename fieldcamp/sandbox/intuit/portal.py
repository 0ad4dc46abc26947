"""The developer portal's page on which the app's webhooks are set: /intuit/ui/developer.

https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.http import BadInput, Request, Response, redirect
from fieldcamp.sandbox.intuit.push import ENTITIES
from fieldcamp.sandbox.intuit.webhook_bodies import CLOUDEVENTS, LEGACY

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit import Intuit

PLACE = "/intuit/ui/developer"
VENDOR = {"name": "intuit", "title": "Intuit"}
FORMATS = ((CLOUDEVENTS, "CloudEvents"), (LEGACY, "The format before 2026"))
SHOWN = 20


def answer(intuit: "Intuit", request: Request) -> Response:
    """Shows the page, or does what its form says. What the portal does not take is said in a sentence."""
    if request.method != "POST":
        return _page(intuit)
    form = request.form()
    action = form.get("action", "")
    try:
        if action == "save":
            intuit.push.enter(
                {
                    "url": form.get("url", "").strip(),
                    "format": form.get("format", CLOUDEVENTS),
                    "entities": [name for name in ENTITIES if name in form.getlist("entities")],
                    "aggregate_seconds": _seconds(form.get("aggregate_seconds", "0")),
                }
            )
        elif action == "delete":
            intuit.push.enter(None)
        elif action == "test":
            intuit.push.pushes.order("intuit", None, "test", 1, 0.0)
    except BadInput as error:
        return pages.page("message.html", 400, vendor=VENDOR, message=str(error), back=PLACE)
    return redirect(PLACE, 303)


def _page(intuit: "Intuit") -> Response:
    endpoint, pushes = intuit.push.endpoint(), intuit.push.pushes
    sent = pushes.deliveries("intuit", 0, None)[-SHOWN:]
    shown = [each | {"when": f"{datetime.fromtimestamp(each['at'], UTC):%Y-%m-%d %H:%M:%S} UTC"} for each in sent]
    return pages.page(
        "intuit/portal.html",
        vendor=VENDOR,
        endpoint=endpoint,
        entities=ENTITIES,
        chosen=endpoint["entities"] if endpoint else ENTITIES,
        formats=FORMATS,
        deliveries=list(reversed(shown)),
    )


def _seconds(text: str) -> int:
    text = text.strip() or "0"
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise BadInput("The seconds must be a whole number.")
    return int(text)
