"""One settings file. Everything that differs between machines comes from the environment: see .env.example."""

import os
from pathlib import Path

import dj_database_url
from cryptography.fernet import Fernet
from django.urls import reverse_lazy

from fieldcamp.api.options import REST_FRAMEWORK as REST_FRAMEWORK
from fieldcamp.api.reference import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from fieldcamp.desk.theme import UNFOLD as UNFOLD
from fieldcamp.env import Secrets, Vendors, env_bool, env_int, env_list, env_text, keep_files_private, networks
from fieldcamp.links import is_loopback
from fieldcamp.logs import logging_config
from fieldcamp.signin.options import AUTH_PASSWORD_VALIDATORS as AUTH_PASSWORD_VALIDATORS
from fieldcamp.signin.options import MFA_ADAPTER as MFA_ADAPTER
from fieldcamp.signin.options import MFA_SUPPORTED_TYPES as MFA_SUPPORTED_TYPES
from fieldcamp.signin.options import MFA_TOTP_ISSUER as MFA_TOTP_ISSUER
from fieldcamp.signin.options import MFA_TOTP_TOLERANCE as MFA_TOTP_TOLERANCE
from fieldcamp.startup import host_of, refuse_mistakes
from fieldcamp.sync_settings import *  # noqa: F403  (nothing but settings)

keep_files_private()

BASE_DIR = Path(__file__).resolve().parent.parent
FIELDCAMP_DATA = Path(os.environ.get("FIELDCAMP_DATA") or BASE_DIR / "var").resolve()
DATABASE_URL = os.environ.get("DATABASE_URL", "").strip()
REDIS_URL = os.environ.get("REDIS_URL", "").strip()

DEBUG = env_bool("DEBUG")
DEFAULT_EXCEPTION_REPORTER_FILTER = "fieldcamp.redaction.DebugFilter"
_secrets = Secrets(FIELDCAMP_DATA / "secrets", may_make=not DATABASE_URL)
SECRET_KEY = _secrets.get("SECRET_KEY")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # older ones, whose sessions and links still hold
API_KEY_PEPPER = _secrets.get("API_KEY_PEPPER")
# Newest first: the first key encrypts, all of them decrypt (see `manage.py rotate_tokens`).
TOKEN_ENCRYPTION_KEYS = [
    key.strip()
    for key in _secrets.get("TOKEN_ENCRYPTION_KEYS", make=lambda: Fernet.generate_key().decode()).split(",")
    if key.strip()
]

PUBLIC_URL = os.environ.get("PUBLIC_URL", "").strip().rstrip("/") or "http://127.0.0.1:8000"
ALLOW_PLAIN_HTTP = env_bool("ALLOW_PLAIN_HTTP")
_HOST, _HTTPS = host_of(PUBLIC_URL), PUBLIC_URL.lower().startswith("https://")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or [f"[{_HOST}]" if ":" in _HOST else _HOST]
if not env_list("ALLOWED_HOSTS") and is_loopback(_HOST):
    ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
# Under such a name no other host of the domain can plant a cookie: https://developer.mozilla.org/docs/Web/HTTP/Cookies
COOKIE_PREFIX = "__Host-" if _HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
MESSAGE_STORAGE = "fieldcamp.pages.PageMessageStorage"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("BEHIND_TLS_PROXY", _HTTPS) else None
SECURE_SSL_REDIRECT, SECURE_SSL_HOST = _HTTPS, PUBLIC_URL.partition("//")[2].partition("/")[0]
# Vendors follow no redirect; what they post is proved by itself (integrations/views/push.py).
SECURE_REDIRECT_EXEMPT = [r"^push/"]
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 365 * 86_400) if _HTTPS else 0
# Whether the domain's other hosts are served over https, and whether browsers have that built in, is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
# Who may say in X-Forwarded-For where a request came from (fieldcamp/signin/addresses.py).
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", env_list("TRUSTED_PROXIES"))
# Who manages is signed out after so many hours in which they did nothing at the desk.
SESSION_IDLE_HOURS = env_int("SESSION_IDLE_HOURS", 12)
OPERATORS_NEED_SECOND_FACTOR = env_bool("OPERATORS_NEED_SECOND_FACTOR", _HTTPS)
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "fieldcamp.error_pages.csrf_failure"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "fieldcamp.desk.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "fieldcamp.workspace",
    "fieldcamp.api",
    "fieldcamp.webhooks",
    "fieldcamp.signin",
    "integrations",
    "integrations.providers",
]

MIDDLEWARE = [
    "fieldcamp.api.middleware.RequestIdMiddleware",
    "fieldcamp.health.HealthChecks",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "fieldcamp.pages.CompressedPages",
    "fieldcamp.pages.KnownMethods",
    "fieldcamp.pages.Patience",
    "fieldcamp.pages.PagePolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fieldcamp.api.refusals.AuditRefusals",
    "fieldcamp.pages.PageMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "fieldcamp.signin.middleware.SignInRules",
]

ROOT_URLCONF = "fieldcamp.urls"
WSGI_APPLICATION = "fieldcamp.wsgi.application"
ASGI_APPLICATION = "fieldcamp.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*env_list("TEMPLATES_FOLDER"), BASE_DIR / "templates"],  # the operator's own wording first
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "fieldcamp.desk.loader.ThemeLoader"],
                )
            ],
            # The desk is Django's own admin app, so its tags are found by name.
            "libraries": {"desk": "fieldcamp.desk.templatetags.desk"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# IMMEDIATE ends "database is locked": a deferred transaction that has read and then wants to write is refused at once,
# whatever the time-out. CONN_MAX_AGE keeps the connection open, which is worth a factor of three (docs/benchmarks.md).
if DATABASE_URL:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60)}
else:
    FIELDCAMP_DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(FIELDCAMP_DATA / "fieldcamp.sqlite3"),
            "CONN_MAX_AGE": 60,
        }
    }
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; "
            f"PRAGMA synchronous={'FULL' if env_bool('SQLITE_SYNCHRONOUS_FULL') else 'NORMAL'}; "
            "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;"
        ),
    }
    # A file, so that threads and processes of the tests see one database.
    DATABASES["default"]["TEST"] = {"NAME": FIELDCAMP_DATA / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# The queue is only a doorbell (docs/operating.md): retries, leases and attempts are the SyncJob table's business.
# retry must be at least timeout x (2 + ceil((queue_limit + 1) / workers)), else a waiting task is delivered twice.
Q_CLUSTER = {
    "name": "fieldcamp",
    "label": "Queue",
    "workers": env_int("WORKERS", 2),
    "timeout": 300,  # a slice of a job, and a write that a vendor may take two minutes for
    "retry": 1500,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.1,
    "save_limit": -1,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 500,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]  # CONTRIBUTING.md says how a language is added
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = "fieldcamp.locales"

STATIC_URL = "/static/"
STATIC_ROOT = FIELDCAMP_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "fieldcamp.desk.static_files.StaticFiles"},
}

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = env_int("EMAIL_PORT", 587)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 10  # seconds: nobody at a page waits longer for a mail server
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "FieldCamp <no-reply@localhost>")
# Without a mail server, mails are kept as files beside the database, so that none is lost and a demo can show them.
EMAIL_FILE_PATH = FIELDCAMP_DATA / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# --- Who runs this site, for its public pages --------------------------------------------------------------------
OPERATOR_NAME, OPERATOR_ADDRESS = env_text("OPERATOR_NAME"), env_text("OPERATOR_ADDRESS")
OPERATOR_EMAIL, OPERATOR_PROCESSORS = env_text("OPERATOR_EMAIL"), env_text("OPERATOR_PROCESSORS")
SUPPORT_URL = env_text("SUPPORT_URL")

# --- Signing in at the vendors (allauth does the dance; what it yields becomes our Connection and OAuthGrant) --------
SOCIALACCOUNT_ADAPTER = "integrations.views.consent.ConnectAdapter"
SOCIALACCOUNT_STORE_TOKENS = SOCIALACCOUNT_LOGIN_ON_GET = SOCIALACCOUNT_ONLY = False
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _HTTPS  # browsers let it pass for localhost alone

# `SANDBOX_URL` sends every vendor address to the simulator (docs/sandbox.md); single addresses still win.
SANDBOX_URL = os.environ.get("SANDBOX_URL", "").strip().rstrip("/")
ALLOW_SANDBOX = env_bool("ALLOW_SANDBOX")
_vendors = Vendors(SANDBOX_URL)
VENDOR_URLS, vendor_url, client_credentials = _vendors.urls, _vendors.url, _vendors.app

GOOGLE_ACCOUNTS_URL = vendor_url("GOOGLE_ACCOUNTS_URL", "/google/accounts", "https://accounts.google.com")
GOOGLE_OAUTH2_URL = vendor_url("GOOGLE_OAUTH2_URL", "/google/oauth2", "https://oauth2.googleapis.com")
GOOGLE_OPENID_URL = vendor_url("GOOGLE_OPENID_URL", "/google/openid", "https://openidconnect.googleapis.com")
GOOGLE_API_URL = vendor_url("GOOGLE_API_URL", "/google/api", "https://www.googleapis.com")
GOOGLE_RISC_URL = vendor_url("GOOGLE_RISC_URL", "/google/risc", "https://risc.googleapis.com")
GOOGLE_CLIENT = client_credentials("GOOGLE")
# Google allows 600 a minute for each user (a batch's parts count one by one); some room is left for clocks that differ.
GOOGLE_REQUESTS_PER_MINUTE = env_int("GOOGLE_REQUESTS_PER_MINUTE", 570)
MICROSOFT_LOGIN_URL = vendor_url("MICROSOFT_LOGIN_URL", "/microsoft/login", "https://login.microsoftonline.com")
MICROSOFT_GRAPH_URL = vendor_url("MICROSOFT_GRAPH_URL", "/microsoft/graph", "https://graph.microsoft.com")
MICROSOFT_CLIENT = client_credentials("MICROSOFT")
# Instead of the secret; where both are given, the certificate is used.
MICROSOFT_CERTIFICATE = {
    "file": env_text("MICROSOFT_CERTIFICATE_FILE"),
    "key_file": env_text("MICROSOFT_CERTIFICATE_KEY_FILE"),
}
# "common" lets work and personal accounts in; an app of one organization has that organization's id here.
MICROSOFT_TENANT = os.environ.get("MICROSOFT_TENANT", "").strip() or "common"
# Graph allows 10,000 in ten minutes for each mailbox (a batch's parts count one by one).
MICROSOFT_REQUESTS_PER_MINUTE = env_int("MICROSOFT_REQUESTS_PER_MINUTE", 950)
INTUIT_APPCENTER_URL = vendor_url("INTUIT_APPCENTER_URL", "/intuit/appcenter", "https://appcenter.intuit.com")
INTUIT_OAUTH_URL = vendor_url("INTUIT_OAUTH_URL", "/intuit/oauth", "https://oauth.platform.intuit.com")
INTUIT_DEVELOPER_API_URL = vendor_url(
    "INTUIT_DEVELOPER_API_URL", "/intuit/developer", "https://developer.api.intuit.com"
)
QUICKBOOKS_API_URL = vendor_url("QUICKBOOKS_API_URL", "/intuit/api", "https://quickbooks.api.intuit.com")
INTUIT_CLIENT = client_credentials("INTUIT")
# Intuit signs its webhooks with the token that its portal shows. Newest first: an older one holds until it is removed.
INTUIT_WEBHOOK_VERIFIERS = env_list("INTUIT_WEBHOOK_VERIFIERS")
# Intuit allows 500 a minute for each company; some room is left for clocks that differ.
QUICKBOOKS_REQUESTS_PER_MINUTE = env_int("QUICKBOOKS_REQUESTS_PER_MINUTE", 450)
# Intuit bills what is read. A company that has used up so many reads waits for the next day (UTC); 0: no limit.
QUICKBOOKS_METERED_READS_PER_DAY = env_int("QUICKBOOKS_METERED_READS_PER_DAY", 0)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
    }
}

refuse_mistakes(globals())
LOGGING_CONFIG = None
logging_config(os.environ.get("LOG_LEVEL", "INFO").upper(), os.environ.get("LOG_FORMAT", "console"))
