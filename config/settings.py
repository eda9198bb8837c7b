"""Settings, all of them from the environment; README and docs/operations.md list the names.

Two ways to run. *Embedded*: DATABASE_URL is not set, everything lives under DATA_DIR (SQLite, uploads, a generated
SECRET_KEY) and the site listens on loopback. *Production*: DATABASE_URL names a server, and then what must not be
guessed has to be set (see `_required`). What is missing or unsafe is said in one line, and the process does not start.
"""

import contextlib
import ipaddress
import json
import os
import re
import sys
import tempfile
from datetime import timedelta
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.utils import get_random_secret_key
from django.core.validators import validate_email
from django.http.request import validate_host
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
# Problems of the environment; they are reported together at the end of this module.
problems: list[str] = []
missing: list[str] = []


def _folder_trouble(folder: Path) -> str:
    """Return why nothing can be written into the folder, which is made when it is missing; empty when all is well."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(bytes(4096))  # a full disk still lets one create an empty file
    except OSError as error:
        return error.strerror or str(error)
    return ""


DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "var").resolve()
HAS_DATA_DIR = not (data_dir_trouble := _folder_trouble(DATA_DIR))
if data_dir_trouble:
    problems.append(f"DATA_DIR must be a folder that can be written to, not {str(DATA_DIR)!r} ({data_dir_trouble})")
IS_EMBEDDED = "DATABASE_URL" not in os.environ


def _running_addresses() -> dict[str, str]:
    """What `run_embedded` wrote for commands typed in another terminal: its SITE_URL, REDIS_URL and EMAIL_PORT."""
    if not IS_EMBEDDED:
        return {}
    # A power cut may leave half a file: then nothing runs.
    with contextlib.suppress(OSError, ValueError):
        if isinstance(found := json.loads((DATA_DIR / "running.json").read_text()), dict):
            return found
    return {}


def _required(name: str, embedded_default: str) -> str:
    """The setting from the environment; a guess is allowed only where nothing but this machine is served."""
    value = env.str(name, default="")
    if not value and not IS_EMBEDDED:
        missing.append(name)
    return value or RUNNING.get(name) or embedded_default


def _flag(name: str) -> bool:
    value = env.str(name, default="").strip().lower()
    if value not in {"", *env.BOOLEAN_TRUE_STRINGS, "0", "no", "off", "false", "n"}:
        problems.append(f"{name} must be 1 or 0, not {value!r}")
    return value in env.BOOLEAN_TRUE_STRINGS


def _port(name: str, default: int) -> int:
    value = env.str(name, default="") or RUNNING.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        problems.append(f"{name} must be a port number, not {value!r}")
        return default
    return int(value)


def _choice(name: str, *choices: str) -> str:
    """One of ``choices``; the first when nothing is set."""
    value = env.str(name, default="") or choices[0]
    if value not in choices:
        problems.append(f"{name} must be {' or '.join(choices)}, not {value!r}")
    return value


def _count(name: str, default: int = 0) -> int:
    value = env.str(name, default="") or str(default)
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        problems.append(f"{name} must be a whole number, 0 for none, not {value!r}")
        return default
    return int(value)


def _address(value: str, *, schemes: set[str]) -> SplitResult | None:
    """Return the parts of an address with one of ``schemes`` and a possible port; None when it is not one."""
    try:
        address = urlsplit(value)
        port = address.port
    except ValueError:
        return None
    is_right = address.scheme in schemes and not re.search(r"[\s\x00-\x1f]", value) and port != 0
    return address if is_right and not address.netloc.endswith(":") else None


def _is_host(value: str) -> bool:
    """Return whether this is the name or the IP address of a machine, without scheme, port and path."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(value)
        return True
    if re.fullmatch(r"[\d.]+", value):  # an address with a number too high or one too few
        return False
    return len(value) < 254 and re.fullmatch(r"\w([\w-]*\w)?(\.\w([\w-]*\w)?)*\.?", value) is not None


def _is_site(url: str) -> bool:
    """Return whether this is a scheme and a host, with or without a port, and nothing else."""
    address = _address(url, schemes={"http", "https"})
    if address is None or address.path or re.search(r"[@?#\\]", url):
        return False
    return _is_host(address.hostname or "")


def _is_one_sender(value: str) -> bool:
    """Return whether this is one e-mail address, with or without a name before it."""
    found = getaddresses([value])
    # The signs outside quoted names are compared too, because the parser leaves out what it cannot read.
    signs = re.sub(r"[^@,;<>\r\n]", "", re.sub(r'"[^"]*"', "", value))
    if len(found) != 1 or signs not in {"@", "<@>"}:
        return False
    try:
        validate_email(found[0][1])
    except ValidationError:
        return False
    return True


def _database_trouble(url: str) -> str:
    """Return what is wrong with the address of the database, without showing its password."""
    server = "DATABASE_URL must be an address such as postgres://user:password@host/name"
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        path = unquote(url.removeprefix("sqlite://").partition("?")[0])
        if not path.startswith("/") or path == "/" or ":memory:" in path or Path(path[1:]).is_dir():
            return "DATABASE_URL must name a file, such as sqlite:////srv/partnerships/db.sqlite3"
        if not Path(path[1:]).parent.is_dir():
            return f"DATABASE_URL must name a file in a folder that exists, not {path[1:]!r}"
        return ""
    if scheme not in {"postgres", "postgresql"}:
        return server
    try:
        parts = env.db_url_config(url)
    except ValueError:  # a port that is none
        return server
    # Port 0 counts as none in the library that reads the address.
    port = 0 if re.search(":0+/", url.rpartition("@")[2]) else int(parts.get("PORT") or 5432)
    return "" if parts["NAME"] and not re.search(r"\s", parts["HOST"]) and 0 < port < 65536 else server


def _is_broker(url: str) -> bool:
    """Return whether this is the address of a Redis server, or ``memory://``, which reaches nobody."""
    address = _address(url, schemes={"redis", "rediss", "redis+socket", "memory"})
    if address is None or address.scheme == "memory":
        return address is not None
    if address.scheme == "redis+socket":
        return len(address.path) > 1
    return bool(address.hostname) and re.fullmatch("(/[0-9]*)?", address.path) is not None


def _generated_secret_key() -> str:
    """The key kept in DATA_DIR; created once, readable by its owner alone."""
    path = DATA_DIR / "secret_key"
    # Written aside and linked into place: of two first starts at once one key wins, and nobody reads half of it.
    scratch = DATA_DIR / f"secret_key.{os.getpid()}"
    if not path.exists():
        scratch.touch(mode=0o600)
        scratch.write_text(get_random_secret_key())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(scratch)
        scratch.unlink()
    key = ""
    with contextlib.suppress(OSError, ValueError):
        key = path.read_text().strip()
    if not key:
        problems.append(f"DATA_DIR holds an empty or unreadable key, {str(path)!r}: delete it, and a new one is made")
    return key


RUNNING = _running_addresses()
DEBUG = _flag("DEBUG")
SECRET_KEY = _required("SECRET_KEY", "") or (_generated_secret_key() if IS_EMBEDDED and HAS_DATA_DIR else "")
if not IS_EMBEDDED and SECRET_KEY and len(SECRET_KEY.strip()) < 32:
    problems.append("SECRET_KEY must have 32 characters or more")

# Shows the details of /readyz to a monitor on another machine; empty: to this machine alone.
READYZ_TOKEN = env.str("READYZ_TOKEN", default="")

SITE_URL = _required("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
if _is_site(SITE_URL):  # compared with what browsers send, who write it in small letters
    SITE_URL = SITE_URL.lower()
SITE = urlsplit(SITE_URL) if _is_site(SITE_URL) else urlsplit("https:")
if not SITE.hostname:
    # A password in the address must not reach the log.
    shown = re.sub(r"//.*@", "//***@", SITE_URL)
    problems.append(f"SITE_URL must be an address such as https://office.example.org, not {shown!r}")
ALLOWED_HOSTS = [
    host.strip() for host in _required("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host.strip()
]
wrong_hosts = [host for host in ALLOWED_HOSTS if host != "*" and not _is_host(host.strip("[]").removeprefix("."))]
if wrong_hosts:
    problems.append(f"ALLOWED_HOSTS must be names of hosts, without scheme and port, not {', '.join(wrong_hosts)!r}")
elif "*" in ALLOWED_HOSTS:
    problems.append("ALLOWED_HOSTS must name the hosts: '*' would let anybody forge the links in mails")
elif SITE.hostname and not validate_host(SITE.hostname, ALLOWED_HOSTS):
    problems.append(f"ALLOWED_HOSTS must name SITE_URL's host {SITE.hostname}")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
if DEBUG and (SITE.scheme == "https" or SITE.hostname not in LOOPBACK):
    problems.append("DEBUG must be off where others reach SITE_URL: its error pages show settings to strangers")
if not IS_EMBEDDED and SITE.scheme == "http" and SITE.hostname not in LOOPBACK and not _flag("ALLOW_HTTP"):
    problems.append("SITE_URL must be https: passwords would travel in the clear (ALLOW_HTTP=1 allows it all the same)")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "partnerships.middleware.csrf_failure"
# How many reverse proxies of our own a request passes; each appends to X-Forwarded-For. 0: the header is ignored.
TRUSTED_PROXIES = _count("TRUSTED_PROXIES")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its default one would put its own admin site in place of ours
    "unfold.contrib.simple_history",
    "partnerships.apps.PartnershipsConfig",
    "partnerships.apps.PartnershipsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # its templates, for FORM_RENDERER
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "partnerships.middleware.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "partnerships.middleware.QueryStringMiddleware",
    "partnerships.middleware.SessionSavingMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "partnerships.middleware.ActMiddleware",  # before the next one, which may log somebody out
    "partnerships.middleware.LoggedInMiddleware",
    "partnerships.middleware.PersonMiddleware",
    "partnerships.middleware.UnwritableMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a refused login into its answer
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

EMBEDDED_DATABASE_URL = f"sqlite:///{DATA_DIR / 'db.sqlite3'}"
DATABASE_URL = env.str("DATABASE_URL", default=EMBEDDED_DATABASE_URL)
if not IS_EMBEDDED and (database_trouble := _database_trouble(DATABASE_URL)):
    problems.append(database_trouble)
    DATABASE_URL = EMBEDDED_DATABASE_URL
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE serializes writers from their first statement: competing claims wait instead of failing half-way.
    # synchronous=FULL: a committed mark on a delivery survives a power cut.
    # secure_delete: what was deleted or changed is overwritten, so that an erased person is not in the file any more.
    DATABASE.setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=30,
        init_command=(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
        ),
    )
else:
    DATABASE["HOST"] = unquote(DATABASE["HOST"])  # a socket's folder is written %2Frun%2Fpostgresql
    DATABASE["CONN_MAX_AGE"] = 60
    # A connection that died while it was idle is replaced, instead of failing the next request.
    DATABASE["CONN_HEALTH_CHECKS"] = True
    # jit only costs on pages of 50 rows.
    DATABASE.setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "partnerships.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "partnerships.passwords.OwnNameValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
]
# Counted by account and address: by account alone, anybody could lock anybody out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "partnerships.client_address.client_network"
AXES_FAILURE_LIMIT = "partnerships.login_limits.failure_limit"
AXES_COOLOFF_TIME = timedelta(minutes=15)
# Otherwise each further guess would prolong the pause, and strangers could keep it up for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_ENABLE_ADMIN = False  # `manage.py axes_reset_username` lets somebody in at once
AXES_DISABLE_ACCESS_LOG = True
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL

LANGUAGE_CODE = "en"
# The first choice of a filter: no condition.
FILTERS_EMPTY_CHOICE_LABEL = _("Any")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
# The second one holds Chinese texts that the libraries lack.
LOCALE_PATHS = [BASE_DIR / "partnerships" / "locale", BASE_DIR / "config" / "libraries" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Asia
    problems.append(f"TIME_ZONE must be a zone such as Asia/Shanghai, not {TIME_ZONE!r}")
USE_I18N = True
USE_TZ = True


def _static_storage() -> str:
    if DEBUG:
        return "django.contrib.staticfiles.storage.StaticFilesStorage"
    if IS_EMBEDDED:
        # Compressing takes most of the time of a first start and saves nothing on loopback.
        return "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    return "whitenoise.storage.CompressedManifestStaticFilesStorage"


STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "uploads"  # served only through a view that checks permission, never by URL
STORAGES = {
    "default": {"BACKEND": "partnerships.storage.WholeFileStorage"},
    "staticfiles": {"BACKEND": _static_storage()},
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000  # a whole ceremony with all its lines is one form
FILE_UPLOAD_PERMISSIONS = 0o600

EMAIL_HOST = _required("EMAIL_HOST", "127.0.0.1")
if EMAIL_HOST and not _is_host(EMAIL_HOST):
    problems.append(f"EMAIL_HOST must be the name of a host, such as mail.example.org, not {EMAIL_HOST!r}")
EMAIL_PORT = _port("EMAIL_PORT", 25 if "EMAIL_HOST" in os.environ else 1025)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = _flag("EMAIL_USE_SSL")
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    problems.append("EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other; set one of them")
if EMAIL_HOST_PASSWORD and not (EMAIL_USE_TLS or EMAIL_USE_SSL) and EMAIL_HOST not in LOOPBACK:
    problems.append("EMAIL_HOST_PASSWORD needs EMAIL_USE_TLS or EMAIL_USE_SSL: it would travel in the clear")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = _required("DEFAULT_FROM_EMAIL", "Cooperation office <office@localhost.localdomain>")
if DEFAULT_FROM_EMAIL and not _is_one_sender(DEFAULT_FROM_EMAIL):
    problems.append(f"DEFAULT_FROM_EMAIL must hold one e-mail address, not {DEFAULT_FROM_EMAIL!r}")
# The right-hand side of Message-IDs: stable, so that a mail keeps its identity whichever machine sends it.
EMAIL_ID_DOMAIN = env.str("EMAIL_ID_DOMAIN", default="") or SITE.hostname
if EMAIL_ID_DOMAIN and not _is_host(EMAIL_ID_DOMAIN):
    problems.append(f"EMAIL_ID_DOMAIN must be a domain such as office.example.org, not {EMAIL_ID_DOMAIN!r}")
# Mails that the site hands over in a minute at most, over all its processes; 0: no limit.
EMAIL_MAX_PER_MINUTE = _count("EMAIL_MAX_PER_MINUTE")
# Nobody can know whether the mail server took a mail: hold it for a person to decide, or send the very same once more.
REMINDERS_UNCERTAIN = _choice("REMINDERS_UNCERTAIN", "hold", "resend")

# Hold the mails of one edit, rule change or import that makes more than so many; 0: never.
REMINDERS_HOLD_ABOVE = _count("REMINDERS_HOLD_ABOVE", 200)

# Days for which the texts of mails, the security log, and past states of contacts are kept; 0: for ever.
RETENTION_MAIL_DAYS = _count("RETENTION_MAIL_DAYS", 730)
RETENTION_SECURITY_LOG_DAYS = _count("RETENTION_SECURITY_LOG_DAYS", 730)
RETENTION_CONTACT_HISTORY_DAYS = _count("RETENTION_CONTACT_HISTORY_DAYS", 1825)
# Chinese law asks for six months.
if 0 < RETENTION_SECURITY_LOG_DAYS < 184:
    problems.append(f"RETENTION_SECURITY_LOG_DAYS must be 184 or more, or 0, not {RETENTION_SECURITY_LOG_DAYS}")

REDIS_URL = _required("REDIS_URL", "redis://127.0.0.1:6379/0")
if REDIS_URL and not _is_broker(REDIS_URL):
    problems.append("REDIS_URL must be an address such as redis://host:6379/0 or redis+socket:///path")
elif REDIS_URL.lower().startswith("memory:") and not IS_EMBEDDED and SITE.scheme == "https":
    problems.append("REDIS_URL must name a server: what is in memory:// reaches no other process")
if IS_EMBEDDED:
    _port("PORT", 8000)  # run_embedded reads it; it is checked here with the others
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False
# Above the longest run: it stops claiming after 240 s, and a hand-over ends within its lease of 300 s.
CELERY_TASK_TIME_LIMIT = 570
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Without this a worker that takes a message while the memory of the broker is full ends, and the message is lost.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 25
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A page must not hang when the broker is gone: the tick does the work a minute later anyway.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_BEAT_SCHEDULE = {
    # A fixed interval, never a crontab: a tick that was missed needs no making up, the next one finds all that is due.
    "reminders": {
        "task": "partnerships.tasks.tick",
        "schedule": 60.0,
        "kwargs": {"trigger": "beat"},
        "options": {"expires": 55},
    },
}
# It keeps nothing on disk: an interval needs no memory, and a schedule file cut short would stop beat at each start.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Nothing inline and nothing from elsewhere. The admin's theme needs more: partnerships.middleware says what.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SESSION_ENGINE = "partnerships.sessions"
SESSION_COOKIE_HTTPONLY = True
# A session ends with the browser unless the login asked otherwise, and when nobody uses it: partnerships.middleware.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
if SESSION_COOKIE_SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 31_536_000
# An office's site is one host of its college's domain: it cannot promise HTTPS, or preloading, for the others.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Two tabs of one person's own edits are told apart by the row's version, so history needs no request stored with it.
SIMPLE_HISTORY_REVERT_DISABLED = True

# The admin's look; what is in its side bar is said in partnerships/admin/navigation.py.
UNFOLD = {
    "SITE_TITLE": _("Partnerships"),
    "SITE_HEADER": _("Partnerships"),
    "SITE_SUBHEADER": _("Cooperation office"),
    "SITE_SYMBOL": "handshake",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "sizes": "any",
            "href": lambda request: static("partnerships/icon.svg"),
        }
    ],
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("partnerships/admin/admin.css")],
    "SCRIPTS": [
        lambda request: static("partnerships/admin/admin.js"),
        lambda request: static("partnerships/uploads.js"),
    ],
    "SIDEBAR": {"show_search": False, "show_all_applications": False},
    "COLORS": {
        # The grays of the pages, from app.css: paper and lines in light, surfaces in dark.
        "base": {
            "50": "#f6f6f3",
            "100": "#eef0ec",
            "200": "#e4e6e1",
            "300": "#c3c8c3",
            "400": "#97a1a5",
            "500": "#5f6971",
            "600": "#4d565e",
            "700": "#3d464b",
            "800": "#2a3236",
            "900": "#1a1f22",
            "950": "#121618",
        },
        # The accent of the pages and mails (#0b6158 at 600).
        "primary": {
            "50": "oklch(97% .014 182)",
            "100": "oklch(94% .025 182)",
            "200": "oklch(88% .05 182)",
            "300": "oklch(80% .085 182)",
            "400": "oklch(72% .09 182)",
            "500": "oklch(55% .085 183)",
            "600": "oklch(44.5% .075 184)",
            "700": "oklch(39% .065 184)",
            "800": "oklch(34% .055 185)",
            "900": "oklch(29% .045 186)",
            "950": "oklch(22% .035 188)",
        },
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"secrets": {"()": "config.logs.WithoutSecrets"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # A tick a minute would bury what matters; the run itself says when it did something.
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "axes")},
        "django.request": {"filters": ["secrets"]},  # before the framework's own handler sees it, too
    },
}

if missing:
    problems.append(f"where DATABASE_URL is set, so must be {', '.join(missing)}")
if problems:
    # One line for the person who starts the process, without a traceback into this file.
    sys.tracebacklimit = 0
    raise ImproperlyConfigured(f"Refusing to start. {'; '.join(problems)}.")
