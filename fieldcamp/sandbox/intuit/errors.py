"""Refusals in Intuit's two envelopes: the gateway's with lower-case keys, the books' with capitals.

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

import uuid
from typing import Any

from fieldcamp.sandbox.http import Response, json_response

INACTIVE = (
    "Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, "
    "vendors or employees."
)
GONE = "Another user has deleted this transaction."


class Fault(Exception):
    """A refusal by the books. `code` is what clients branch on; all validation faults are HTTP 400."""

    def __init__(
        self,
        code: int,
        message: str,
        detail: str = "",
        element: str = "",
        kind: str = "ValidationFault",
        status: int = 400,
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code, self.message, self.detail, self.element = code, message, detail or message, element
        self.kind, self.status = kind, status

    def body(self) -> dict[str, Any]:
        """The Fault object, as it stands in an answer or in a batch's item."""
        error = {"Message": self.message, "Detail": self.detail, "code": str(self.code)}
        if self.element:
            error["element"] = self.element
        return {"Error": [error], "type": self.kind}


class GatewayFault(Exception):
    """A refusal before the books are reached: no token, a wrong company."""

    def __init__(self, status: int, name: str, number: int, kind: str, detail: str | None = None) -> None:
        super().__init__(name)
        self.status, self.kind, self.number, self.detail = status, kind, number, detail
        self.message = f"message={name}; errorCode={number:06d}; statusCode={status}"

    def response(self, now: float) -> Response:
        """The answer that carries it."""
        error = {"message": self.message, "detail": self.detail, "code": str(self.number), "element": None}
        empty: dict[str, Any] = dict.fromkeys(
            ("warnings", "intuitObject", "report", "queryResponse", "syncErrorResponse")
        )
        body = {**empty, "fault": {"error": [error], "type": self.kind}, "batchItemResponse": [],
                "attachableResponse": [], "requestId": None, "time": int(now * 1000), "status": None,
                "cdcresponse": []}  # fmt: skip
        response = json_response(body, self.status)
        if self.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="Intuit", error="invalid_token"'
        return response


def traced(response: Response) -> Response:
    """The answer with the number under which Intuit's support finds the call."""
    response.headers["intuit_tid"] = f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"
    return response


def no_token(token: str) -> GatewayFault:
    """The access token is missing, expired or revoked. Like Intuit, it repeats the token."""
    if not token:
        return GatewayFault(401, "ApplicationAuthenticationFailed", 3200, "AUTHENTICATION")
    return GatewayFault(401, "AuthenticationFailed", 3200, "AUTHENTICATION", f"Token expired: {token}")


def not_authorized() -> GatewayFault:
    """The token is not for this company, or not for the books at all."""
    return GatewayFault(403, "ApplicationAuthorizationFailed", 3100, "SERVICE")


def throttled() -> Fault:
    """Too many calls in the window."""
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    return Fault(3001, message, "The request limit was reached.  Try again later", kind="SERVICE", status=429)


def unsupported_property(name: str, entity: str) -> Fault:
    """A property that the entity does not have, or not in requests."""
    detail = (
        f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{entity}), not marked as '
        "ignorable"
    )
    return Fault(2010, "Request has invalid or unsupported property", f"{detail} specified is unsupported or invalid")


def unreadable(detail: str) -> Fault:
    """A body or value that is not of the expected form."""
    return Fault(2010, "Request has invalid or unsupported property", detail)


def required(name: str) -> Fault:
    """A property that must be there is not."""
    return Fault(
        2020,
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        name,
    )


def invalid_id(value: Any) -> Fault:
    """An Id that is no number."""
    return Fault(2030, "Invalid ID", f"Id should be a valid number. Supplied value:{value}", "Id")


def not_found(is_list: bool) -> Fault:
    """No such object, or no more."""
    return Fault(610, "Object Not Found", f"Object Not Found : {INACTIVE if is_list else GONE}")


def invalid_reference(entity: str, value: Any, element: str) -> Fault:
    """A reference to nothing."""
    return Fault(
        2500, "Invalid Reference Id", f"Invalid Reference Id : {entity}s element id {value} not found", element
    )


def inactive_reference(element: str) -> Fault:
    """A reference to something that was made inactive."""
    return Fault(610, "Object Not Found", f"Object Not Found : {INACTIVE}", element)


def stale(user: str) -> Fault:
    """Somebody else was faster."""
    detail = (
        f"Stale Object Error : You and {user} were working on this at the same time. {user} finished before you did, "
        "so your work was not saved."
    )
    return Fault(5010, "Stale Object Error", detail)


def duplicate_name(whose: str) -> Fault:
    """The name is taken."""
    detail = (
        f"The name supplied already exists. : Another {whose} is already using this name. Please use a different name."
    )
    return Fault(6240, "Duplicate Name Exists Error", detail)


def business(reason: str, element: str = "") -> Fault:
    """A rule of bookkeeping without a code of its own."""
    message = "A business validation error has occurred while processing your request"
    return Fault(6000, message, f"Business Validation Error: {reason}", element)


def unsupported(operation: str) -> Fault:
    """A path or operation that does not exist; HTTP 400, whatever the code says."""
    return Fault(500, "Unsupported Operation", f"Operation {operation} is not supported.")


def lapsed() -> Fault:
    """The subscription has ended: the company can be read only."""
    detail = "Subscription period has ended or canceled or there was a billing problem"
    return Fault(6190, "Invalid Company Status", f"Invalid Company Status : {detail}")


def usual(status: int) -> Fault:
    """What one meets most often under that status."""
    if status == 429:
        return throttled()
    if status == 400:
        return unreadable("The request is not valid.")
    message = "An application error has occurred while processing your request"
    return Fault(10000, message, f"System Failure Error: {message}", kind="SystemFault", status=status)
