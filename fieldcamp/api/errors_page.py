"""docs/errors.md, made from the one table of errors."""

import json

from fieldcamp.api.error_codes import ERRORS, JOB_ERRORS
from fieldcamp.api.errors import error_example

_HEAD = """# Errors

<!-- Made by `manage.py errors_page` from fieldcamp/api/error_codes.py: edit that table, not this page. -->

Every error of every address under `/api` has this shape, with the HTTP status of its code:

```json
{example}
```

`code` is for programs and stays as it is. `message` is for people and may change. `details` holds what the code says
below. `doc_url` leads to the code's row on this page; `param` is there where a field is wrong, and names the first one.
`request_id` is also the answer's header `X-Request-Id`; support finds the call by it. A request line of more
than 8,190 bytes is refused with 414 by the web server, before the API sees it. Who sends `application/problem+json` in
`Accept` gets errors as RFC 9457 has them, with the same `code`, `details` and `param`.

**Retry** says whether the same request, unchanged, can succeed later: then wait as many seconds as the header
`Retry-After` says, or two where there is none, and twice as long each time after that. Everything else fails again
until something is corrected. With an `Idempotency-Key` a repeated POST never does its work twice.

## Answers of the API

| status | code | what it means | what to do | retry |
|---|---|---|---|---|
"""
_JOBS = """
## Codes in `errors[]` of jobs and of the status

A sync that meets these still answers 200: they tell what became of single accounts and records. **Retry**: the next
sync tries again by itself.

| code | what it means | what to do | retry |
|---|---|---|---|
"""
_DETAILS = """
## What `details` holds

| code | details |
|---|---|
"""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def errors_page() -> str:
    """Returns the whole page."""
    example = json.dumps(error_example("INSUFFICIENT_SCOPE"), indent=2)
    rows = [
        f"| {spec.status} | `{code}` | {spec.title} | {spec.remedy} | {_yes(spec.retry)} |\n"
        for code, spec in ERRORS.items()
    ]
    jobs = [f"| `{code}` | {spec.title} | {spec.remedy} | {_yes(spec.retry)} |\n" for code, spec in JOB_ERRORS.items()]
    details = [
        f"| `{code}` | `{json.dumps(found)}` |\n"
        for code in ERRORS
        if (found := error_example(code)["error"]["details"])
    ]
    return "".join([_HEAD.format(example=example), *rows, _DETAILS, *details, _JOBS, *jobs])
