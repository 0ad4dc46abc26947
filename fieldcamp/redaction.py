"""What no log line, no error page and no stored text of a vendor may show: hidden by the name that it stands under, by
where it stands in an address, and by its shape."""

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from django.views.debug import SafeExceptionReporterFilter

REDACTED = "[redacted]"
DEEPEST = 12  # levels of nested values; what lies below is not written

# A name is cut into its words (`refreshToken`, `refresh-token`). One of these among them, and it holds a secret, …
_ALWAYS = {
    "password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens", "authorization", "auth",
    "cookie", "cookies", "pepper", "credential", "credentials", "session", "sessionid", "csrftoken",
    "csrfmiddlewaretoken", "apikey", "otp", "totp", "jwt", "verifier", "assertion", "signature", "uidb64", "uidb36",
}  # fmt: skip
# … or as its last word, …
_AT_THE_END = {"key", "keys", "code", "codes", "state", "nonce", "challenge", "sig", "signed"}
# … unless the name is about the secret and not the secret itself.
_ABOUT = {
    "id", "ids", "at", "age", "type", "kind", "name", "names", "count", "number", "length", "seconds", "days",
    "until", "error",
}  # fmt: skip
# What is no secret and encrypted all the same: which company somebody has connected.
_ACCOUNTS = {"realmid"}
# Codes that are no secrets: of HTTP, of an error, and whatever is a short number.
_CODES = {"status", "error", "exit", "problem", "country", "currency", "language"}
_FEW_DIGITS = re.compile(r"\d{1,5}")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

# In a text: a name, a sign between, and a value, in quotes (also in those of a JSON text within a JSON text) or bare.
# Only the end of a name is looked for, so that a text is gone through once, however long its words are.
_NAME = (
    r"(?:password|passwd|passphrase|secret|token|cookie|pepper|credential|sessionid|api[_-]?key|verifier|assertion|uidb64|realm_?id)s?"
    r"|(?<![a-z])(?:pwd|otp|keys?|code|state|nonce|signature|sig)"
)
# Between them: `=` or `:`, also as an address has them; the comma of a pair, whose name is in quotes; an element's `>`.
_BETWEEN = r"\\*(?:[\"']|%22)?\s*(?:[=:]|%3[ad])\s*|\\*[\"']\s*,\s*(?=b?\\*[\"'])|>(?=[^\s<])"
_HEADERS = re.compile(
    rf"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)({_BETWEEN})(b?\\*[\"']?)(?!\[redacted)([^\r\n\"'\\]+)"
)
_QUOTED = re.compile(rf"(?i)({_NAME})((?:{_BETWEEN})b?)(?P<quote>\\*[\"'])(.{{1,4000}}?)(?P=quote)")
_BARE = re.compile(rf"(?i)({_NAME})({_BETWEEN})()(?!b\\*[\"'])((?:(?:bearer|basic)\s+)?[^\s&\"',;<>{{}}\[\]()\\]+)")
_SIGNS = re.compile(r"[=:,>]|%3")
_SHAPES = re.compile(
    r"ya29\.[\w.-]+|\b1//[\w.-]{10,}|\b4/[\w-]{20,}|\bGOCSPX-[\w-]{10,}"  # Google
    r"|\bM\.C\d[\w.!*$-]{8,}|\b[01]\.A[\w-]{12,}[\w.-]*|\bEw[A-Z][\w+/=-]{20,}|\b\w{3}8Q~[\w.~-]{20,}"  # Microsoft
    r"|\bAB11\d*[\w-]{20,}|\bRT1-[\w-]{10,}"  # Intuit
    r"|\bfc_live_\w+|\bwhsec_[\w+/=-]{10,}|\bgAAAA[\w-]{20,}=*|\b[a-z0-9]{6,}-[0-9a-f]{32}\b"  # ours, Django's
    r"|\b(?:pbkdf2_\w+|argon2\w*|bcrypt\w*|scrypt)\$\S+|(?<![A-Za-z])eyJ[\w-]{8,}\.[\w.-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?i:\bbearer\s+[\w.~+/-]{12,}=*|\bbasic\s+[A-Za-z0-9+/]{8,}=*)"
)
# Without any of these no text has any of that: words that name a secret or begin one, and what stands in front of one
# in an address.
_HINTS = (
    "pass", "pwd", "secret", "token", "cookie", "pepper", "credential", "session", "key", "verifier", "assert",
    "uidb64", "realm", "otp", "code", "state", "nonce", "sig", "auth", "bearer", "basic", "ya29", "gocspx", "m.c",
    "0.a", "1.a", "8q~", "ab11", "rt1-", "fc_live", "whsec", "gaaaa", "eyj", "$", "/",
)  # fmt: skip
_HINTED = re.compile(r"Ew[A-Z]|-[0-9a-f]{32}")
# scheme://user:password@host and scheme://token@host
_IN_ADDRESS = re.compile(r"(?<=://)(?:[^\s/@\"'<>]*:[^\s/\"'<>]*|[^\s/@:\"'<>]{8,})(?=@)")


def is_secret(name: str) -> bool:
    """Returns whether what stands under this name is a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    if "".join(words) in _ACCOUNTS:
        return True
    if not words or words[-1] in _ABOUT:
        return False
    if words[-1] in ("code", "codes") and set(words) & _CODES:
        return False
    return not _ALWAYS.isdisjoint(words) or words[-1] in _AT_THE_END or "".join(words) in _ALWAYS


def may_hold_secret(text: str) -> bool:
    """Returns False only of what `redact` would leave as it is: a quick look, which takes a fraction of that one."""
    lowered = text.casefold()
    if not lowered.isascii():  # to a pattern that minds no case these are an i, too
        lowered = lowered.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i").replace("i\N{COMBINING DOT ABOVE}", "i")
    return any(hint in lowered for hint in _HINTS) or _HINTED.search(text) is not None


def redact(text: str) -> str:
    """Returns the text without anything that looks like a token, a code, a key or a password."""
    text = _IN_ADDRESS.sub(REDACTED, text)
    for pattern in _secret_paths():
        text = pattern.sub(rf"\1{REDACTED}", text)
    text = _SHAPES.sub(REDACTED, text)
    if not _SIGNS.search(text):
        return text  # nothing stands under a name
    text = _HEADERS.sub(rf"\1\2\3{REDACTED}", text)
    return _BARE.sub(_without_value, _QUOTED.sub(_without_value, text))


def redacted(value: Any, name: str = "", depth: int = 0) -> Any:
    """Returns the value without secrets: whole where `name`, under which it stands, says that it is one; an object as
    its text, since a request's has the address with all that stands in it."""
    if value is None or isinstance(value, bool):
        return value
    if name and is_secret(name) and not (name.lower().endswith("code") and _FEW_DIGITS.fullmatch(str(value))):
        return REDACTED
    if depth > DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redacted(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        if len(value) == 2 and isinstance(value, list | tuple) and isinstance(value[0], str | bytes):
            return [
                redacted(value[0], "", depth + 1),
                redacted(value[1], str(value[0]), depth + 1),
            ]  # a name and its value
        return [redacted(inner, "", depth + 1) for inner in value]
    return value if isinstance(value, int | float) else redact(str(value))


def _without_value(found: re.Match[str]) -> str:
    name, between, quote, value = found.groups()
    if value.startswith("[redacted") or (name.lower() == "code" and _FEW_DIGITS.fullmatch(value)):
        return found.group()
    return f"{name}{between}{quote}{REDACTED}{quote}"


def _secret_paths() -> list[re.Pattern[str]]:
    """Returns patterns of addresses of ours that hold a secret; none while the site's routes are still being read."""
    return _from_routes(settings.ROOT_URLCONF) if settings.configured and _routes_are_read() else []


def _routes_are_read() -> bool:
    module = sys.modules.get(settings.ROOT_URLCONF)
    return (
        module is not None and hasattr(module, "urlpatterns") and not getattr(module.__spec__, "_initializing", False)
    )


@cache
def _from_routes(urlconf: str) -> list[re.Pattern[str]]:
    starts = sorted({start for start in _starts(get_resolver(urlconf).url_patterns, "") if start})
    return [re.compile(rf"(/{start})[^\s\"'<>]+") for start in starts]


def _starts(patterns: Any, before: str) -> Iterator[str]:
    """Yields, as regular expressions, what stands in front of the first secret in each route that has one."""
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _starts(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            for found in re.finditer(r"(?:\(\?P)?<(?:\w+:)?(\w+)>", route):
                if is_secret(found[1]):
                    literal = re.split(r"\(\?P<\w+>.*?\)|<[^>]+>", route[: found.start()])
                    yield "[^/\\s]+".join(re.escape(part.replace("\\", "").strip("^$")) for part in literal)
                    break


class DebugFilter(SafeExceptionReporterFilter):
    """Django's page of an error in DEBUG, without secrets: settings, cookies, posted values and local variables."""

    cleansed_substitute = REDACTED

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """Returns what is shown of a setting, a header or a cookie."""
        return _shown(super().cleanse_setting(key, value), key if isinstance(key, str) else "")

    def get_post_parameters(self, request: Any) -> Any:
        """Returns what was posted."""
        return {} if request is None else redacted(dict(request.POST.items()))

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        """Returns a frame's variables."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, _shown(value, name)) for name, value in found]


def _shown(value: Any, name: str) -> Any:
    """Returns a value of any type as it may be shown; what cannot be looked into stays as it is."""
    if name and is_secret(name) and value:
        return REDACTED
    if isinstance(value, dict):
        return {key: _shown(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_shown(inner, "") for inner in value) if type(value) in (list, tuple) else value
    return redact(value) if isinstance(value, str) else value
