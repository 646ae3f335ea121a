"""The composition root: settings -> database -> services -> client.

Opens every resource with `async with` and hands it to what needs it, so that a test builds the same
graph with other parts. The life of the process is `bot.app`'s.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from msgspec import Struct, field

from bot.alerts import Alerts
from bot.bookkeeping import Bookkeeper
from bot.budget_alerts import BudgetAlerts
from bot.charging import Charger
from bot.charts import Charts
from bot.client import ImageBot
from bot.delivery import Delivery
from bot.digest_posts import DigestPosts
from bot.erased import ErasedList
from bot.generation import Generation
from bot.ground import Ground, Parts, open_ground
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
from bot.reconciling import Books, Reconciler
from bot.records import ModelRecords
from bot.recovery import Recovery
from bot.removing import Remover
from bot.report_drawing import Drawing
from bot.report_files import ReportFiles
from bot.scheduler import Scheduler
from bot.services import Services
from bot.settings import Settings
from bot.storage import (
    Alarms,
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
    Promises,
    Reconciliations,
    Records,
    Removals,
    Reports,
    Retention,
)
from bot.takeout import Takeouts
from bot.telling import Teller
from cogs.ui import alert_text, report_text
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


@asynccontextmanager
async def build(settings: Settings, parts: Parts | None = None) -> AsyncIterator[ImageBot]:
    """Open everything that the bot needs, and give the bot, not yet connected to Discord.

    Raises:
        StartRefused: the database or the secret cannot be used.
    """
    parts = parts or Parts()
    async with open_ground(settings, parts) as ground, AsyncExitStack() as stack:
        ends = _Ends()
        rules = await _rules(ground, stack)
        making = await _making(ground, rules, ends, stack)
        services = _services(ground, rules, making, ends, await _reporting(ground, stack))
        await services.ledger.heartbeat()
        bot = ImageBot(
            services,
            cogs=COGS,
            tree_cls=Tree,
            dynamic_items=DYNAMIC_ITEMS,
            guild_ready_timeout=parts.guild_ready_timeout,
        )
        ends.connect(bot)
        async with services.painting, bot:
            try:
                yield bot
            finally:
                await services.alerts.close()


class _Ends(Struct, frozen=True):
    """What reaches Discord for those who don't know it; before `connect` it is nowhere."""

    messenger: DiscordMessenger = field(default_factory=DiscordMessenger)
    renewal: DiscordRenewal = field(default_factory=DiscordRenewal)
    presence: DiscordPresence = field(default_factory=DiscordPresence)
    posts: DiscordPosts = field(default_factory=DiscordPosts)
    membership: DiscordMembership = field(default_factory=DiscordMembership)

    def connect(self, bot: ImageBot) -> None:
        for end in (self.messenger, self.renewal, self.presence, self.posts, self.membership):
            end.connect(bot)


class _Rules(Struct, frozen=True):
    """Who may do what, and what they want."""

    policies: Policies
    model_policies: ModelPolicies
    policing: Policing
    preferences: Preferences
    planner: Planner


class _Making(Struct, frozen=True):
    """The way of a job, from its admission to its delivery, and what picks up after a crash."""

    ledger: Ledger
    jobs: Jobs
    inputs: Inputs
    offers: Offers
    alerts: Alerts
    budgets: BudgetAlerts
    delivery: Delivery
    teller: Teller
    generation: Generation
    recovery: Recovery
    painting: Painting


class _Reporting(Struct, frozen=True):
    """What tells how things stand."""

    reports: Reports
    drawing: Drawing
    records: ModelRecords
    digests: DigestStore


async def _rules(ground: Ground, stack: AsyncExitStack) -> _Rules:
    database, clock, settings = ground.database, ground.clock, ground.settings
    model_policies = ModelPolicies(database, clock=clock)
    policing = Policing(model_policies, blocklist=ground.blocklist)
    preferences = await stack.enter_async_context(
        Preferences(
            PreferenceStore(database, clock=clock),
            catalog=ground.catalog,
            clock=clock,
            alone=ground.alone,
        )
    )
    return _Rules(
        policies=Policies(
            database, clock=clock, secret=ground.secret, defaults=settings.spending_defaults
        ),
        model_policies=model_policies,
        policing=policing,
        preferences=preferences,
        planner=Planner(
            catalog=ground.catalog,
            policing=policing,
            preferences=preferences,
            default_model=settings.default_model,
        ),
    )


async def _making(ground: Ground, rules: _Rules, ends: _Ends, stack: AsyncExitStack) -> _Making:
    database, clock, settings = ground.database, ground.clock, ground.settings
    catalog, router = ground.catalog, ground.router
    messenger = ground.parts.messenger or ends.messenger
    ledger = ground.parts.ledger(
        database,
        clock=clock,
        secret=ground.secret,
        process_id=ground.process_id,
        defaults=settings.spending_defaults,
    )
    jobs = Jobs(database, clock=clock, process_id=ground.process_id)
    masks = MaskStore(database, clock=clock)
    inputs = await stack.enter_async_context(
        Inputs(
            downloads=ground.downloads,
            tools=ground.tools,
            masks=masks,
            renew=ends.renewal,
            hosts=discord_hosts(),
            folder=ground.beside(".inputs"),
            clock=clock,
        )
    )
    alerts = Alerts(messenger=messenger, clock=clock, words=alert_text.in_log)
    offers = Offers(OfferStore(database, clock=clock), clock=clock)
    delivery = Delivery(
        messenger=messenger,
        jobs=jobs,
        router=router,
        tools=ground.tools,
        clock=clock,
        patience=ground.parts.patience,
    )
    budgets = BudgetAlerts(policies=rules.policies, alerts=alerts, manages=ends.presence.manages)
    teller = Teller(
        delivery=delivery,
        ledger=ledger,
        jobs=jobs,
        policies=rules.policies,
        offers=offers,
        catalog=catalog,
        planner=rules.planner,
        promises=Promises(database, clock=clock, process_id=ground.process_id),
        job_log=JobLog(policing=rules.policing, jobs=jobs, messenger=messenger),
    )
    charger = Charger(
        ledger=ledger,
        books=Bookkeeper(ledger, alerts=alerts, budgets=budgets, delays=ground.parts.insistence),
        jobs=jobs,
        router=router,
        catalog=catalog,
        alerts=alerts,
    )
    generation = Generation(
        ledger=ledger,
        charger=charger,
        teller=teller,
        planner=rules.planner,
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
        alone=ground.alone,
    )
    painting = Painting(
        links=PaintLinks(database, clock=clock),
        masks=masks,
        pictures=inputs,
        jobs=generation,
        catalog=catalog,
        presence=ends.presence,
        clock=clock,
        secret=ground.secret,
        planner=rules.planner,
    )
    return _Making(
        ledger=ledger,
        jobs=jobs,
        inputs=inputs,
        offers=offers,
        alerts=alerts,
        budgets=budgets,
        delivery=delivery,
        teller=teller,
        generation=generation,
        recovery=recovery,
        painting=painting,
    )


async def _reporting(ground: Ground, stack: AsyncExitStack) -> _Reporting:
    reports = Reports(ground.database, defaults=ground.settings.spending_defaults)
    fonts = ground.parts.fonts or ground.beside(".charts")
    return _Reporting(
        reports=reports,
        drawing=Drawing(reports, await stack.enter_async_context(Charts(cache=fonts))),
        records=ModelRecords(Records(ground.database, clock=ground.clock), clock=ground.clock),
        digests=DigestStore(ground.database, clock=ground.clock),
    )


def _services(
    ground: Ground, rules: _Rules, making: _Making, ends: _Ends, reporting: _Reporting
) -> Services:
    database, clock, settings = ground.database, ground.clock, ground.settings
    privacy = Privacy(
        Erasure(database, clock=clock),
        database=database,
        erased=ErasedList(ground.beside(".erased"), secret=ground.secret),
        clock=clock,
        note_deliveries=making.delivery.note_late,
        memories=(rules.preferences, making.offers, making.painting, reporting.drawing),
        guilds=(rules.policing, rules.preferences, reporting.drawing),
    )
    removals = Removals(database, clock=clock)
    remover = Remover(removals, posts=ends.posts, clock=clock)
    takeouts = Takeouts(PersonalData(database), home=ground.beside(".copies"))
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        ledger=making.ledger,
        jobs=making.jobs,
        policies=rules.policies,
        model_policies=rules.model_policies,
        policing=rules.policing,
        planner=rules.planner,
        catalog=ground.catalog,
        preferences=rules.preferences,
        records=reporting.records,
        router=ground.router,
        generation=making.generation,
        teller=making.teller,
        inputs=making.inputs,
        tools=ground.tools,
        delivery=making.delivery,
        recovery=making.recovery,
        books=_books(ground, making.budgets),
        offers=making.offers,
        painting=making.painting,
        alerts=making.alerts,
        privacy=privacy,
        takeouts=takeouts,
        removals=removals,
        remover=remover,
        keeper=Keeper(
            privacy,
            retention=Retention(database, clock=clock),
            remover=remover,
            takeouts=takeouts,
            membership=ends.membership,
            clock=clock,
            default_days=settings.default_retention_days,
            file=ground.path,
        ),
        operator_watch=_operator_watch(ground, making, reporting.records),
        digests=reporting.digests,
        digest_posts=_digest_posts(ground, rules, making, ends, reporting),
        reports=reporting.reports,
        report_files=ReportFiles(reporting.reports),
        drawing=reporting.drawing,
    )


def _operator_watch(ground: Ground, making: _Making, records: ModelRecords) -> OperatorWatch:
    return OperatorWatch(
        alarms=Alarms(ground.database, clock=ground.clock),
        alerts=making.alerts,
        router=ground.router,
        ledger=making.ledger,
        records=records,
        clock=ground.clock,
        low_balance=ground.settings.low_balance,
        default_model=ground.settings.default_model,
    )


def _digest_posts(
    ground: Ground, rules: _Rules, making: _Making, ends: _Ends, reporting: _Reporting
) -> DigestPosts:
    return DigestPosts(
        store=reporting.digests,
        reports=reporting.reports,
        policies=rules.policies,
        messenger=ends.messenger,
        alerts=making.alerts,
        delivery=making.delivery,
        drawing=reporting.drawing,
        title_of=report_text.title,
        serves=ends.presence.serves,
        names_of=ends.presence.names_of,
        clock=ground.clock,
    )


def _books(ground: Ground, budgets: BudgetAlerts) -> Books:
    """What an operator compares and mends."""
    store = Reconciliations(ground.database, clock=ground.clock)
    return Books(
        reconciler=Reconciler(router=ground.router, store=store, clock=ground.clock),
        checks=store,
        settling=HandSettling(ground.database, clock=ground.clock),
        budgets=budgets,
    )
