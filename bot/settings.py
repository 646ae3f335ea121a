"""Everything that is set from outside: one frozen `Settings`, one error that lists every fault.

Reads an environment mapping and nothing else; `.env` is loaded by the command line. Each setting's
name, default and meaning stand in `SPECS`, from which `.env.example` and the README are checked.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from bot.hiding import repr_without
from bot.money import Micros, NotMoney, parse_usd
from bot.quotas import Defaults

_T = TypeVar("_T")

EXIT_CONFIG: Final = 78
"""The exit code for a fault in the settings (EX_CONFIG of sysexits.h)."""

_HIGHEST_PORT: Final = 65_535
_LEAST_SECRET: Final = 32
_MOST_DIGITS: Final = 9
_MOST_ID_DIGITS: Final = 19


class SettingsError(Exception):
    """The environment cannot be used; `faults` has one sentence for each setting that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Spec(Struct, frozen=True):
    """One setting: its name in the environment, its default as text, and what it is for."""

    name: str
    default: str
    meaning: str
    secret: bool = False


SPECS: Final = (
    Spec(
        "DISCORD_TOKEN", "", "The bot's token. Empty: `make run` starts the sandbox.", secret=True
    ),
    Spec("IMAGEROUTER_API_KEY", "", "The ImageRouter key that pays.", secret=True),
    Spec("IMAGEROUTER_BASE_URL", "https://api.imagerouter.io", "Where ImageRouter answers."),
    Spec(
        "IMAGEROUTER_POPULAR_URL",
        "https://backend.imagerouter.io/operations/get-popular-models",
        "Where the list of popular models is; `off` does without it.",
    ),
    Spec(
        "DATABASE_URL",
        "sqlite:///data/bot.db",
        "Where the ledger is kept: a file, or `postgresql://user:password@host/name`.",
    ),
    Spec("DEFAULT_MODEL", "", "The model when nobody names one; empty is the free `test/test`."),
    Spec(
        "OPERATOR_IDS",
        "",
        "Discord user ids of the operators, with commas; empty is the application's owner or team.",
    ),
    Spec(
        "PUBLIC_URL",
        "",
        "The address under which people reach `HTTP_PORT`, such as `https://easel.example.org`; "
        "empty is no mask painter.",
    ),
    Spec("HTTP_HOST", "127.0.0.1", "The address on which the bot's web server listens."),
    Spec(
        "HTTP_PORT",
        "",
        "The port of `/healthz` and the mask painter; empty is no web server.",
    ),
    Spec("SANDBOX_PORT", "8080", "The port of the sandbox's page."),
    Spec(
        "SANDBOX_REAL_IMAGEROUTER", "0", "1 lets the sandbox use the real ImageRouter, for money."
    ),
    Spec("LOG_FORMAT", "text", "`text` for people, `json` for log collectors."),
    Spec("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Spec(
        "SECRET_KEY",
        "",
        "Keys counters and links; made once beside the database file if empty.",
        secret=True,
    ),
    Spec(
        "UNPRICED_MODEL_CEILING_USD",
        "",
        "What is held for a model without a price; empty refuses such models.",
    ),
    Spec(
        "DEFAULT_MEMBER_DAILY_USD",
        "0.50",
        "What a member may spend a day in a server that sets nothing else.",
    ),
    Spec(
        "DEFAULT_GUILD_MONTHLY_USD",
        "10",
        "What a server may spend a month unless you set something else for it.",
    ),
    Spec("OPERATOR_MONTHLY_USD", "25", "What everybody together may spend a month."),
    Spec(
        "LOW_BALANCE_USD",
        "5",
        "The operators are told when ImageRouter's balance falls below it; 0 never asks.",
    ),
    Spec(
        "DEFAULT_DM_DAILY_USD",
        "0",
        "What one person may spend a day outside servers with the bot; 0 is off (sandbox: 0.50).",
    ),
    Spec(
        "DEFAULT_RETENTION_DAYS",
        "0",
        "Days after which prompts and links are deleted where a server sets nothing; 0 is never.",
    ),
    Spec("MEMBER_OPEN_JOBS", "3", "Jobs of one member that run or wait; more are refused."),
    Spec("MEMBER_JOBS", "2", "Jobs of one member that run at once; more wait their turn."),
    Spec("PROCESS_JOBS", "16", "Jobs of everybody that run at once; more wait their turn."),
    Spec("MAX_WAITING_JOBS", "200", "Jobs that may wait; more are refused."),
    Spec(
        "PROMPT_BLOCKLIST_FILE",
        "",
        "A file with what no prompt may say anywhere, an entry a line; empty is none.",
    ),
    Spec("CATALOG_REFRESH_SECONDS", "900", "How often the list of models is fetched again."),
    Spec(
        "IMAGEROUTER_REQUESTS_PER_SECOND", "15", "Our own brake, below ImageRouter's 20; 0 is none."
    ),
    Spec("SHARD_IDS", "", "The shards of this process, with commas; empty is all of them."),
    Spec("SHARD_COUNT", "", "How many shards there are in all; empty asks Discord."),
)


class Settings(Struct, frozen=True):
    """The settings, checked and typed. Secrets are left out of `repr`."""

    discord_token: str
    imagerouter_api_key: str
    imagerouter_base_url: str
    imagerouter_popular_url: str
    database_url: str
    default_model: str | None
    operator_ids: tuple[int, ...]
    public_url: str | None
    http_host: str
    http_port: int | None
    sandbox_port: int
    sandbox_real_imagerouter: bool
    log_format: str
    log_level: str
    secret_key: str
    unpriced_model_ceiling: Micros | None
    default_member_daily: Micros
    default_guild_monthly: Micros
    operator_monthly: Micros
    low_balance: Micros
    default_dm_daily: Micros | None
    """None where nothing is set: then it is off, but for the sandbox."""
    default_retention_days: int
    member_open_jobs: int
    member_jobs: int
    process_jobs: int
    max_waiting_jobs: int
    prompt_blocklist_file: str | None
    catalog_refresh_seconds: int
    imagerouter_requests_per_second: int
    shard_ids: tuple[int, ...]
    shard_count: int | None

    def __repr__(self) -> str:
        return repr_without(
            self, "discord_token", "imagerouter_api_key", "database_url", "secret_key"
        )

    @property
    def spending_defaults(self) -> Defaults:
        """The limits where nobody has set any."""
        return Defaults(
            member_day=self.default_member_daily,
            guild_month=self.default_guild_monthly,
            bot_month=self.operator_monthly,
            dm_day=self.default_dm_daily or 0,
            open_jobs=self.member_open_jobs,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; an unset or empty variable takes its default.

        Raises:
            SettingsError: with one sentence for every setting that cannot be used.
        """
        read = _Reader(environ)
        settings = cls(
            discord_token=read.parsed("DISCORD_TOKEN", _token),
            imagerouter_api_key=read.text("IMAGEROUTER_API_KEY"),
            imagerouter_base_url=read.parsed("IMAGEROUTER_BASE_URL", _http_url),
            imagerouter_popular_url=read.parsed("IMAGEROUTER_POPULAR_URL", _http_url_or_off),
            database_url=read.parsed("DATABASE_URL", _database_url),
            default_model=read.text("DEFAULT_MODEL") or None,
            operator_ids=read.parsed("OPERATOR_IDS", _ids),
            public_url=read.parsed("PUBLIC_URL", _http_url_or_empty) or None,
            http_host=read.text("HTTP_HOST"),
            http_port=read.optional("HTTP_PORT", _port),
            sandbox_port=read.parsed("SANDBOX_PORT", _port),
            sandbox_real_imagerouter=read.parsed("SANDBOX_REAL_IMAGEROUTER", _switch),
            log_format=read.parsed("LOG_FORMAT", _one_of("text", "json")),
            log_level=read.parsed("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
            secret_key=read.parsed("SECRET_KEY", _secret),
            unpriced_model_ceiling=read.optional("UNPRICED_MODEL_CEILING_USD", _usd),
            default_member_daily=read.parsed("DEFAULT_MEMBER_DAILY_USD", _usd),
            default_guild_monthly=read.parsed("DEFAULT_GUILD_MONTHLY_USD", _usd),
            operator_monthly=read.parsed("OPERATOR_MONTHLY_USD", _usd),
            low_balance=read.parsed("LOW_BALANCE_USD", _usd),
            default_dm_daily=read.set_only("DEFAULT_DM_DAILY_USD", _usd),
            default_retention_days=read.parsed("DEFAULT_RETENTION_DAYS", _at_least(0)),
            member_open_jobs=read.parsed("MEMBER_OPEN_JOBS", _at_least(1)),
            member_jobs=read.parsed("MEMBER_JOBS", _at_least(1)),
            process_jobs=read.parsed("PROCESS_JOBS", _at_least(1)),
            max_waiting_jobs=read.parsed("MAX_WAITING_JOBS", _at_least(0)),
            prompt_blocklist_file=read.text("PROMPT_BLOCKLIST_FILE") or None,
            catalog_refresh_seconds=read.parsed("CATALOG_REFRESH_SECONDS", _at_least(60)),
            imagerouter_requests_per_second=read.parsed(
                "IMAGEROUTER_REQUESTS_PER_SECOND", _at_least(0)
            ),
            shard_ids=read.parsed("SHARD_IDS", _ids),
            shard_count=read.optional("SHARD_COUNT", _at_least(1)),
        )
        count = settings.shard_count
        if settings.shard_ids and count is None:
            read.faults.append("SHARD_IDS needs SHARD_COUNT as well.")
        elif count is not None and max(settings.shard_ids, default=0) >= count:
            read.faults.append(
                f"SHARD_IDS: with SHARD_COUNT={count} they go from 0 to {count - 1}."
            )
        if read.faults:
            raise SettingsError(read.faults)
        return settings


class _Reader:
    """Reads one variable after the other and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._specs = {spec.name: spec for spec in SPECS}
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip() or self._specs[name].default

    def parsed(self, name: str, parse: Callable[[str], _T]) -> _T:
        raw = self.text(name)
        try:
            return parse(raw)
        except ValueError as error:
            # An address may hold a password: user:password@host.
            hidden = self._specs[name].secret or "@" in raw
            shown = "its value" if hidden else f"{raw!r:.60}"
            self.faults.append(f"{name}: {shown} {error}.")
            return parse(self._specs[name].default)

    def optional(self, name: str, parse: Callable[[str], _T]) -> _T | None:
        return self.parsed(name, lambda raw: parse(raw) if raw else None)

    def set_only(self, name: str, parse: Callable[[str], _T]) -> _T | None:
        """Like `parsed`, but None where nothing is set, for whoever has a default of their own."""
        value = self.parsed(name, parse)
        return value if self._environ.get(name, "").strip() else None


def _http_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no http(s) address")
    return raw.rstrip("/")


def _http_url_or_empty(raw: str) -> str:
    return _http_url(raw) if raw else ""


def _http_url_or_off(raw: str) -> str:
    """An empty text stands for off; an empty variable stands for the default, as it always does."""
    return "" if raw.lower() == "off" else _http_url(raw)


def _database_url(raw: str) -> str:
    if not raw.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("is no sqlite:/// or postgresql:// address")
    return raw


def _ids(raw: str) -> tuple[int, ...]:
    parts = [part for part in raw.replace(" ", ",").split(",") if part]
    if not all(
        part.isascii() and part.isdigit() and len(part) <= _MOST_ID_DIGITS for part in parts
    ):
        raise ValueError("is no list of numbers with commas")
    return tuple(map(int, parts))


def _port(raw: str) -> int:
    number = _at_least(0)(raw)
    if number > _HIGHEST_PORT:
        raise ValueError("is no port (0 to 65535)")
    return number


def _switch(raw: str) -> bool:
    values = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
    if raw.lower() not in values:
        raise ValueError("is neither 0 nor 1")
    return values[raw.lower()]


def _token(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable()) or " " in raw:
        raise ValueError("has characters that no token has: copy it again from the Bot page")
    return raw


def _secret(raw: str) -> str:
    if raw and len(raw) < _LEAST_SECRET:
        raise ValueError("is too short: it needs 32 characters or more")
    return raw


def _usd(raw: str) -> Micros:
    try:
        return parse_usd(raw)
    except NotMoney:
        raise ValueError("is no amount of USD, such as 0.30") from None


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        for value in allowed:
            if raw.lower() == value.lower():
                return value
        raise ValueError(f"is none of {', '.join(allowed)}")

    return parse


def _at_least(minimum: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or len(raw) > _MOST_DIGITS or int(raw) < minimum:
            raise ValueError(f"is no whole number of at least {minimum}")
        return int(raw)

    return parse
