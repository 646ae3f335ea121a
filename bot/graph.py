"""The composition root: settings -> database -> services -> client.

Opens every resource with `async with` and hands it to what needs it, so that a test builds the same
graph with other parts. The life of the process is `bot.app`'s.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.alerts import Alerts
from bot.blocklist import Blocklist, read_blocklist
from bot.bookkeeping import Bookkeeper
from bot.budget_alerts import BudgetAlerts
from bot.catalog import Catalog
from bot.charging import Charger
from bot.client import ImageBot
from bot.clock import Clock, SystemClock
from bot.delivery import Delivery, Patience
from bot.downloads import Downloads
from bot.generation import Generation
from bot.ids import make_id
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.inputs import Inputs
from bot.job_log import JobLog
from bot.offers import Offers
from bot.painting import Painting
from bot.planner import Planner
from bot.policing import Policing
from bot.preferences import Preferences
from bot.quotas import Defaults
from bot.records import ModelRecords
from bot.recovery import Recovery
from bot.scheduler import Scheduler
from bot.secret import load_or_make_secret
from bot.services import Services
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    Jobs,
    Ledger,
    MaskStore,
    ModelPolicies,
    OfferStore,
    PaintLinks,
    Policies,
    PreferenceStore,
    Promises,
    Records,
    open_database,
    sqlite_path,
)
from bot.telling import Teller
from cogs.ui.buttons import ALL as DYNAMIC_ITEMS
from cogs.ui.messenger import DiscordMessenger
from cogs.ui.pictures import discord_hosts
from cogs.ui.presence import DiscordPresence
from cogs.ui.renewal import DiscordRenewal
from cogs.ui.tree import Tree

BESIDE_NO_FILE: Final = Path("data", "bot.db")
"""Where the cached list of models is kept when the database is not a file: beside where it would
be by default. Processes may share it, since it is replaced whole."""
COGS: Final = (
    "cogs.imagine",
    "cogs.compare",
    "cogs.edit",
    "cogs.edit_menus",
    "cogs.models",
    "cogs.settings",
    "cogs.usage",
    "cogs.setup",
    "cogs.quota",
    "cogs.config",
    "cogs.operator",
    "cogs.welcome",
)


class StartRefused(Exception):
    """The bot can't start as it is set up; the message is a sentence with the remedy."""

    exit_code = EXIT_CONFIG


@dataclass(frozen=True, slots=True)
class Parts:
    """What a test or the sandbox builds in another way."""

    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    guild_ready_timeout: float = 2.0
    """Seconds without a new guild after which Discord has named them all."""


@asynccontextmanager
async def build(settings: Settings, parts: Parts | None = None) -> AsyncIterator[ImageBot]:
    """Open everything that the bot needs, and give the bot, not yet connected to Discord.

    Raises:
        StartRefused: the database or the secret cannot be used.
    """
    parts = parts or Parts()
    clock = parts.clock
    path = sqlite_path(settings.database_url)  # None: a server's, which other processes may share
    secret = _secret(settings, path)
    process_id = make_id(clock)
    rate = settings.imagerouter_requests_per_second or None
    async with (
        open_database(settings.database_url, clock=clock) as database,
        ImageRouter(
            api_key=settings.imagerouter_api_key,
            base_url=settings.imagerouter_base_url,
            popular_url=settings.imagerouter_popular_url,
            requests_per_second=rate,
        ) as router,
        ImageTools() as tools,
        Downloads(allow_loopback=discord_hosts().on_this_machine) as downloads,
        Catalog(
            router,
            clock=clock,
            cache_path=(path or BESIDE_NO_FILE).with_suffix(".models.json"),
            unpriced_ceiling=settings.unpriced_model_ceiling,
            refresh_s=settings.catalog_refresh_seconds,
        ) as catalog,
        AsyncExitStack() as stack,
    ):
        defaults = _defaults(settings)
        ledger = Ledger(
            database, clock=clock, secret=secret, process_id=process_id, defaults=defaults
        )
        policies = Policies(database, clock=clock, secret=secret, defaults=defaults)
        model_policies = ModelPolicies(database, clock=clock)
        policing = Policing(model_policies, blocklist=_blocklist(settings))
        preferences = await stack.enter_async_context(
            Preferences(
                PreferenceStore(database, clock=clock),
                catalog=catalog,
                clock=clock,
                alone=path is not None,
            )
        )
        planner = Planner(
            catalog=catalog,
            policing=policing,
            preferences=preferences,
            default_model=settings.default_model,
        )
        jobs = Jobs(database, clock=clock, process_id=process_id)
        messenger, renewal, presence = DiscordMessenger(), DiscordRenewal(), DiscordPresence()
        masks = MaskStore(database, clock=clock)
        inputs = await stack.enter_async_context(
            Inputs(
                downloads=downloads,
                tools=tools,
                masks=masks,
                renew=renewal,
                hosts=discord_hosts(),
                folder=(path or BESIDE_NO_FILE).with_suffix(".inputs"),
                clock=clock,
            )
        )
        alerts = Alerts(messenger=messenger, clock=clock)
        offers = Offers(OfferStore(database, clock=clock), clock=clock)
        delivery = Delivery(
            messenger=messenger,
            jobs=jobs,
            router=router,
            tools=tools,
            clock=clock,
            patience=parts.patience,
        )
        budgets = BudgetAlerts(policies=policies, messenger=messenger, alerts=alerts)
        teller = Teller(
            delivery=delivery,
            ledger=ledger,
            jobs=jobs,
            policies=policies,
            offers=offers,
            catalog=catalog,
            planner=planner,
            promises=Promises(database, clock=clock, process_id=process_id),
            job_log=JobLog(policing=policing, jobs=jobs, messenger=messenger),
        )
        charger = Charger(
            ledger=ledger,
            books=Bookkeeper(ledger, alerts=alerts, budgets=budgets),
            jobs=jobs,
            router=router,
            catalog=catalog,
            alerts=alerts,
        )
        generation = Generation(
            ledger=ledger,
            charger=charger,
            teller=teller,
            planner=planner,
            inputs=inputs,
            scheduler=Scheduler(
                per_member=settings.member_jobs,
                in_process=settings.process_jobs,
                max_waiting=settings.max_waiting_jobs,
            ),
            delivery=delivery,
            budgets=budgets,
            clock=clock,
        )
        recovery = Recovery(
            ledger=ledger,
            jobs=jobs,
            charger=charger,
            teller=teller,
            budgets=budgets,
            alone=path is not None,
        )
        painting = Painting(
            links=PaintLinks(database, clock=clock),
            masks=masks,
            pictures=inputs,
            jobs=generation,
            catalog=catalog,
            presence=presence,
            clock=clock,
            secret=secret,
            planner=planner,
        )
        services = Services(
            settings=settings,
            clock=clock,
            database=database,
            ledger=ledger,
            jobs=jobs,
            policies=policies,
            model_policies=model_policies,
            policing=policing,
            planner=planner,
            catalog=catalog,
            preferences=preferences,
            records=ModelRecords(Records(database, clock=clock), clock=clock),
            router=router,
            generation=generation,
            teller=teller,
            inputs=inputs,
            tools=tools,
            delivery=delivery,
            recovery=recovery,
            offers=offers,
            painting=painting,
            alerts=alerts,
        )
        await ledger.heartbeat()
        bot = ImageBot(
            services,
            cogs=COGS,
            tree_cls=Tree,
            dynamic_items=DYNAMIC_ITEMS,
            guild_ready_timeout=parts.guild_ready_timeout,
        )
        messenger.connect(bot)
        renewal.connect(bot)
        presence.connect(bot)
        async with painting, bot:
            try:
                yield bot
            finally:
                await alerts.close()


def _blocklist(settings: Settings) -> Blocklist:
    """The operator's own list, which is read once."""
    path = settings.prompt_blocklist_file
    if path is None:
        return Blocklist()
    try:
        return read_blocklist(Path(path))
    except (OSError, ValueError) as error:
        raise StartRefused(f"PROMPT_BLOCKLIST_FILE can't be used: {error}.") from error


def _defaults(settings: Settings) -> Defaults:
    return Defaults(
        member_day=settings.default_member_daily,
        guild_month=settings.default_guild_monthly,
        bot_month=settings.operator_monthly,
        dm_day=settings.default_dm_daily or 0,
        open_jobs=settings.member_open_jobs,
    )


def _secret(settings: Settings, database: Path | None) -> bytes:
    if settings.secret_key:
        return settings.secret_key.encode()
    if database is None:
        raise StartRefused(
            "With PostgreSQL, SECRET_KEY must be set: 32 characters or more, the same for every "
            "process, for example what `openssl rand -hex 32` prints."
        )
    try:
        return load_or_make_secret(database.with_suffix(".key"))
    except (OSError, ValueError) as error:
        raise StartRefused(f"The secret beside the database cannot be used: {error}.") from error
