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
from bot.charts import Charts
from bot.client import ImageBot
from bot.clock import Clock, SystemClock
from bot.delivery import Delivery, Patience
from bot.digest_posts import DigestPosts
from bot.downloads import Downloads
from bot.erased import ErasedList
from bot.generation import Generation
from bot.ids import make_id
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.inputs import Inputs
from bot.job_log import JobLog
from bot.keeping import Keeper
from bot.offers import Offers
from bot.operator_watch import OperatorWatch
from bot.painting import Painting
from bot.planner import Planner
from bot.policing import Policing
from bot.preferences import Preferences
from bot.privacy import Privacy
from bot.quotas import Defaults
from bot.reconciling import Books, Reconciler
from bot.records import ModelRecords
from bot.recovery import Recovery
from bot.removing import Remover
from bot.report_drawing import Drawing
from bot.report_files import ReportFiles
from bot.scheduler import Scheduler
from bot.secret import NoSecret, secret_for
from bot.services import Services
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    BESIDE_NO_FILE,
    Alarms,
    Database,
    DigestStore,
    Erasure,
    HandSettling,
    Jobs,
    Ledger,
    MaskStore,
    ModelPolicies,
    OfferStore,
    PaintLinks,
    PersonalData,
    Policies,
    PreferenceStore,
    Reconciliations,
    Records,
    Removals,
    Reports,
    Retention,
    open_database,
    sqlite_path,
)
from bot.takeout import Takeouts
from bot.telling import Teller
from cogs.ui import report_text
from cogs.ui.buttons import ALL as DYNAMIC_ITEMS
from cogs.ui.membership import DiscordMembership
from cogs.ui.messenger import DiscordMessenger
from cogs.ui.pictures import discord_hosts
from cogs.ui.presence import DiscordPresence
from cogs.ui.removing import DiscordPosts
from cogs.ui.renewal import DiscordRenewal
from cogs.ui.tree import Tree

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
    "cogs.report",
    "cogs.operator",
    "cogs.audit",
    "cogs.privacy",
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
    fonts: Path | None = None
    """Where charts keep what they know of the machine's fonts; None is beside the database."""
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
    async with (
        open_database(settings.database_url, clock=clock) as database,
        _router(settings) as router,
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
        budgets = BudgetAlerts(policies=policies, alerts=alerts, manages=presence.manages)
        teller = Teller(
            delivery=delivery,
            ledger=ledger,
            jobs=jobs,
            policies=policies,
            offers=offers,
            catalog=catalog,
            planner=planner,
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
        privacy = Privacy(
            Erasure(database, clock=clock),
            database=database,
            erased=ErasedList((path or BESIDE_NO_FILE).with_suffix(".erased"), secret=secret),
            clock=clock,
            memories=(preferences, offers, painting),
            guilds=policing,
        )
        posts, membership, removals = (
            DiscordPosts(),
            DiscordMembership(),
            Removals(database, clock=clock),
        )
        remover = Remover(removals, posts=posts, clock=clock)
        digests = DigestStore(database, clock=clock)
        records = ModelRecords(Records(database, clock=clock), clock=clock)
        fonts = parts.fonts or (path or BESIDE_NO_FILE).with_suffix(".charts")
        reports = Reports(database, defaults=defaults)
        drawing = Drawing(reports, await stack.enter_async_context(Charts(cache=fonts)))
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
            records=records,
            router=router,
            generation=generation,
            teller=teller,
            inputs=inputs,
            tools=tools,
            delivery=delivery,
            recovery=recovery,
            books=_books(database, router, budgets, clock),
            offers=offers,
            painting=painting,
            alerts=alerts,
            privacy=privacy,
            takeouts=Takeouts(PersonalData(database)),
            removals=removals,
            remover=remover,
            keeper=Keeper(
                privacy,
                retention=Retention(database, clock=clock),
                remover=remover,
                membership=membership,
                clock=clock,
                default_days=settings.default_retention_days,
                file=path,
            ),
            operator_watch=OperatorWatch(
                alarms=Alarms(database, clock=clock),
                alerts=alerts,
                router=router,
                ledger=ledger,
                records=records,
                clock=clock,
                low_balance=settings.low_balance,
                default_model=settings.default_model,
            ),
            digests=digests,
            digest_posts=DigestPosts(
                store=digests,
                reports=reports,
                policies=policies,
                messenger=messenger,
                alerts=alerts,
                delivery=delivery,
                drawing=drawing,
                title_of=report_text.title,
                serves=presence.serves,
                names_of=presence.names_of,
                clock=clock,
            ),
            reports=reports,
            report_files=ReportFiles(reports),
            drawing=drawing,
        )
        await ledger.heartbeat()
        bot = ImageBot(
            services,
            cogs=COGS,
            tree_cls=Tree,
            dynamic_items=DYNAMIC_ITEMS,
            guild_ready_timeout=parts.guild_ready_timeout,
        )
        for end in (messenger, renewal, presence, posts, membership):
            end.connect(bot)
        async with painting, bot:
            try:
                yield bot
            finally:
                await alerts.close()


def _router(settings: Settings) -> ImageRouter:
    try:
        return ImageRouter(
            api_key=settings.imagerouter_api_key,
            base_url=settings.imagerouter_base_url,
            popular_url=settings.imagerouter_popular_url,
            requests_per_second=settings.imagerouter_requests_per_second or None,
        )
    except ValueError as error:
        raise StartRefused(f"ImageRouter can't be used as it is set up: {error}.") from error


def _books(database: Database, router: ImageRouter, budgets: BudgetAlerts, clock: Clock) -> Books:
    """What an operator compares and mends."""
    store = Reconciliations(database, clock=clock)
    return Books(
        reconciler=Reconciler(router=router, store=store, clock=clock),
        checks=store,
        settling=HandSettling(database, clock=clock),
        budgets=budgets,
    )


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
    try:
        return secret_for(settings.secret_key, database)
    except NoSecret as error:
        raise StartRefused(str(error)) from error
