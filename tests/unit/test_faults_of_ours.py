"""A fault in our own code must neither hang a job nor hide what it cost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.alerts import Alerts
from bot.budget_alerts import BudgetAlerts
from bot.cards import Card, Failure, Messenger, Posted, Progress, Result, Spent
from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.delivery import Delivery, Patience
from bot.generation import Generation
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.offers import Offers
from bot.quotas import Defaults
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.scheduler import Scheduler
from bot.storage import Jobs, Ledger, OfferStore, Policies, open_database
from sandbox.books import Books
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer

ACTOR = Actor(user_id=1, guild_id=2, channel_id=3)
REPLY = ReplyRoute(4, "token", 1 << 60, channel_id=3, message_id=5, upload_limit=10_000_000)


class Clumsy:
    """A messenger with a fault: it fails on the kinds of card that it is told."""

    def __init__(self, *kinds: type[Card]) -> None:
        self.kinds = kinds
        self.said: list[Card] = []

    def _say(self, card: Card) -> Posted:
        if isinstance(card, self.kinds):
            raise ZeroDivisionError
        self.said.append(card)
        return Posted(3, 5)

    async def edit(self, reply: ReplyRoute, card: Card) -> Posted:
        return self._say(card)

    async def whisper(self, reply: ReplyRoute, card: Card) -> None:
        self._say(card)

    async def retract(self, reply: ReplyRoute) -> None:
        return None

    async def post(self, channel_id: int, card: Card, *, nonce: str) -> Posted:
        return self._say(card)

    async def direct(self, user_id: int, card: Card, *, nonce: str) -> Posted:
        return self._say(card)

    async def tidy(self, reply: ReplyRoute, card: Card | None) -> None:
        return None


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def generation(stack: AsyncExitStack, folder: Path, messenger: Messenger) -> Generation:
    clock = SystemClock()
    server = await stack.enter_async_context(ImageRouterServer(SandboxClock()))
    database = await stack.enter_async_context(
        open_database(f"sqlite:///{folder / 'bot.db'}", clock=clock)
    )
    router = await stack.enter_async_context(
        ImageRouter(
            api_key=server.api_key, base_url=server.base_url, popular_url=server.popular_url
        )
    )
    tools = await stack.enter_async_context(ImageTools())
    catalog = Catalog(router, clock=clock, cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    secret, defaults = b"s" * 32, Defaults()
    ledger = Ledger(database, clock=clock, secret=secret, process_id=7, defaults=defaults)
    policies = Policies(database, clock=clock, secret=secret, defaults=defaults)
    alerts = Alerts(messenger=messenger, clock=clock)
    await ledger.heartbeat()
    jobs = Jobs(database, clock=clock, process_id=7)
    return Generation(
        ledger=ledger,
        jobs=jobs,
        catalog=catalog,
        router=router,
        scheduler=Scheduler(per_member=1, in_process=1, max_waiting=1),
        delivery=Delivery(
            messenger=messenger,
            jobs=jobs,
            router=router,
            tools=tools,
            clock=clock,
            patience=Patience(delays=(0.01,), downloads=()),
        ),
        offers=Offers(OfferStore(database, clock=clock), clock=clock),
        alerts=alerts,
        policies=policies,
        budgets=BudgetAlerts(policies=policies, messenger=messenger, alerts=alerts),
        clock=clock,
        default_model="black-forest-labs/FLUX-1-schnell",
    )


async def test_a_card_that_can_not_be_shown_becomes_an_explanation_with_its_cost(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    messenger = Clumsy(Result)
    running = await generation(stack, tmp_path, messenger)

    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem="1")
    await running.idle()

    last = messenger.said[-1]
    assert isinstance(last, Failure)
    assert last.report is not None
    assert last.report.cost == 1_300
    books = Books(tmp_path / "bot.db")
    assert [c["state"] for c in books.charges()] == ["settled"]
    assert [j["delivery"] for j in books.rows("SELECT * FROM job")] == ["delivered"]


async def test_courtesies_that_fail_stop_nothing(stack: AsyncExitStack, tmp_path: Path) -> None:
    messenger = Clumsy(Progress, Spent)
    running = await generation(stack, tmp_path, messenger)

    for number in range(3):
        await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem=str(number))
        await running.idle()

    assert [type(card) for card in messenger.said] == [Result] * 3
    assert running.in_flight == 0
