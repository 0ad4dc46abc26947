"""Every error code of the API: those of answers (`ERRORS`), and those of `errors[]` in jobs and status (`JOB_ERRORS`).

The source of the answers themselves, of the errors page and of the OpenAPI document.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorSpec:
    """A code's HTTP status (0 where it has none), what it means, what the reader should do, and whether the same
    request can succeed later."""

    status: int
    title: str
    remedy: str
    retry: bool = False


ERRORS: dict[str, ErrorSpec] = {
    "VALIDATION_ERROR": ErrorSpec(
        400,
        "The request is malformed: bad JSON, an unknown field or value, or a malformed header.",
        "Correct the fields named in details and send the request again.",
    ),
    "INVALID_CURSOR": ErrorSpec(
        400, "The cursor was not issued by this list.", "Start the list again without a cursor, keeping the filters."
    ),
    "UNAUTHORIZED": ErrorSpec(
        401,
        "The API key is missing, unknown, expired or revoked.",
        "Send a live key as `Authorization: Bearer fc_live_…`.",
    ),
    "INSUFFICIENT_SCOPE": ErrorSpec(
        403, "The API key lacks a scope.", "Use a key that has the scope named in details.required_scope."
    ),
    "NOT_FOUND": ErrorSpec(404, "There is nothing at this address in your workspace.", "Check the address and the id."),
    "METHOD_NOT_ALLOWED": ErrorSpec(
        405, "This address does not take this method.", "Use one of the methods in the Allow header."
    ),
    "NOT_ACCEPTABLE": ErrorSpec(
        406, "The API answers JSON only, and the Accept header excludes it.", "Accept `application/json`."
    ),
    "SYNC_IN_PROGRESS": ErrorSpec(
        409,
        "A sync of this integration is already queued or running.",
        "Poll details.active_job_id, and start the next sync when it has finished.",
        retry=True,
    ),
    "IDEMPOTENCY_IN_PROGRESS": ErrorSpec(
        409,
        "The first request with this Idempotency-Key is still being worked on.",
        "Send the same request again in a moment.",
        retry=True,
    ),
    "JOB_FINISHED": ErrorSpec(409, "The job is already over.", "Nothing is left to cancel; read the job's result."),
    "INVALID_TRANSITION": ErrorSpec(
        409,
        "The record's state does not allow this change.",
        "A completed or cancelled visit stays as it is: create a new one. Of an invoice that is paid or void only the "
        "memo changes; payments are voided before their invoice. A key is revoked or narrowed by another key. Enable a "
        "disabled webhook, or send a pending one a test, first. Read a problem again that was answered meanwhile.",
    ),
    "CURSOR_EXPIRED": ErrorSpec(
        410,
        "The cursor or `since` is older than what the feed, the log of events, or a list with `includeDeleted` keeps.",
        "Read your records anew, a list without a cursor, then continue from details.resync_from.",
    ),
    "PRECONDITION_FAILED": ErrorSpec(
        412,
        "The record has changed since you read it.",
        "Read it again and repeat the change with its new ETag in If-Match, or with the count in details.",
    ),
    "PAYLOAD_TOO_LARGE": ErrorSpec(413, "The request body is too large.", "Send a smaller body."),
    "UNSUPPORTED_MEDIA_TYPE": ErrorSpec(
        415, "The request body is not JSON in UTF-8.", "Send `Content-Type: application/json`."
    ),
    "INTEGRATION_NOT_CONNECTED": ErrorSpec(
        422,
        "The integration has no usable connection; details.reason says why.",
        "Send an admin to details.connect_url.",
    ),
    "IDEMPOTENCY_KEY_REUSED": ErrorSpec(
        422,
        "This Idempotency-Key was used before with another route or body.",
        "Use a fresh key for each new request, and repeat a request unchanged.",
    ),
    "RATE_LIMITED": ErrorSpec(
        429, "The request quota is used up.", "Wait as many seconds as Retry-After says, then go on.", retry=True
    ),
    "INTERNAL_ERROR": ErrorSpec(
        500, "Something went wrong on our side.", "Try again; if it stays, tell support the request id.", retry=True
    ),
    "UNAVAILABLE": ErrorSpec(
        503, "The service cannot answer just now.", "Try again after as many seconds as Retry-After says.", retry=True
    ),
}

# Codes inside `errors[]` of jobs and of the status.
JOB_ERRORS: dict[str, ErrorSpec] = {
    "NEEDS_RECONNECT": ErrorSpec(
        0, "The provider no longer accepts our access to this account.", "Connect the account again."
    ),
    "NEEDS_PERMISSION": ErrorSpec(
        0, "A permission that the sync needs was not granted.", "Connect again and tick the permission that is named."
    ),
    "MISCONFIGURED": ErrorSpec(
        0, "The provider refuses this installation's own credentials.", "The operator checks the client id and secret."
    ),
    "RATE_LIMITED": ErrorSpec(
        0,
        "The provider asked us to wait.",
        "Nothing: the sync goes on by itself at the time that is named.",
        retry=True,
    ),
    "PROVIDER_UNAVAILABLE": ErrorSpec(
        0,
        "The provider did not answer, or answered with an error of its own.",
        "Nothing: the next run tries again.",
        retry=True,
    ),
    "RECORD_REJECTED": ErrorSpec(
        0,
        "One record waits: it was refused, or a person is asked about it.",
        "Do what the message says; what can be answered is among the problem's choices.",
    ),
    "CALENDAR_UNAVAILABLE": ErrorSpec(
        0,
        "A calendar cannot be used at present: it is gone, may only be read, or its mailbox is full or missing.",
        "Give the account access again or choose another calendar. What waits for it is written by itself then.",
        retry=True,
    ),
    "MEMBER_INACTIVE": ErrorSpec(
        0,
        "The person whose account it is is not active any more: nothing of it is read or written.",
        "Decide at the desk what becomes of their visits, events and busy times. It goes on when they are back.",
    ),
    "CONFLICT": ErrorSpec(
        0,
        "A record was changed on both sides, or its event was moved far.",
        "Decide what to keep, in the admin's inbox or by API.",
    ),
    "FULL_SYNC_FORCED": ErrorSpec(
        0, "The provider's change list had expired, so everything was read again.", "Nothing: this is for information."
    ),
    "CONFIRMATION_NEEDED": ErrorSpec(
        0, "The run would remove unusually many records and holds these removals.", "Confirm or reject them."
    ),
    "AMOUNT_VARIANCE": ErrorSpec(
        0, "The provider's total differs from FieldCamp's by more than a cent.", "Compare the two documents."
    ),
    "EVENT_REMOVED": ErrorSpec(
        0,
        "A visit's event was removed from its technician's calendar. The visit is unchanged.",
        "Decide at the desk or by API: put the event back, leave it removed, cancel the visit, or give it to another.",
    ),
    "RECORD_REMOVED": ErrorSpec(
        0,
        "A record's counterpart was removed at the provider, and FieldCamp still has the record.",
        "Decide at the desk or by API: make it again, say which other one it is, or void it here too.",
    ),
    "RECORD_UNREADABLE": ErrorSpec(
        0,
        "A record at the provider holds something that FieldCamp cannot read. Both sides keep it as it is.",
        "It is read again with each full sync; if it stays, tell support the record.",
        retry=True,
    ),
    "WAITING_FOR_GONE": ErrorSpec(
        0,
        "A record waits for another one that is not at the provider and does not come by itself.",
        "Decide about the record that the message names; this one follows by itself.",
    ),
    "POSSIBLE_DUPLICATE": ErrorSpec(
        0,
        "A record there may be one that both sides have already, or two there are one in FieldCamp.",
        "Say at the desk or by API whether it is, or delete it or merge the two there.",
    ),
    "INTERNAL_ERROR": ErrorSpec(
        0,
        "Something went wrong on our side.",
        "The next run tries again; if it stays, tell support the job id.",
        retry=True,
    ),
}
