"""A fault in our own code must neither hang a job nor hide what it cost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.cards import Card, Failure, Messenger, Posted, Progress, Result, Spent
from bot.clock import Clock, SystemClock
from bot.delivery import Patience
from bot.errors import LedgerUnavailable
from bot.generation import Generation
from bot.graph import build
from bot.ground import Parts
from bot.lateness import NOTICE_MS
from bot.money import Micros
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.settings import Settings
from bot.storage import Ledger, Output, Settlement
from sandbox.books import Books
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer

DEFAULT_MODEL = "black-forest-labs/FLUX-1-schnell"
ACTOR = Actor(user_id=1, guild_id=2, channel_id=3)
REPLY = ReplyRoute(4, "token", 1 << 60, channel_id=3, message_id=5, upload_limit=10_000_000)


class Clumsy:
    """A messenger with a fault: it fails on the kinds of card that it is told."""

    def __init__(self, *kinds: type[Card], takes_bare: bool = False) -> None:
        self.kinds = kinds
        self.takes_bare = takes_bare
        self.said: list[Card] = []

    def _say(self, card: Card) -> Posted:
        bare = self.takes_bare and isinstance(card, Result) and card.bare
        if isinstance(card, self.kinds) and not bare:
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


@pytest.fixture
async def server() -> AsyncIterator[ImageRouterServer]:
    async with ImageRouterServer(SandboxClock()) as opened:
        yield opened


async def generation(
    stack: AsyncExitStack,
    folder: Path,
    messenger: Messenger,
    server: ImageRouterServer,
    *,
    clock: Clock | None = None,
    ledger: type[Ledger] = Ledger,
) -> Generation:
    """Build the bot, which stays without Discord, with a fault in one of its parts."""
    settings = Settings.from_env(
        {
            "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
            "DEFAULT_MODEL": DEFAULT_MODEL,
            "IMAGEROUTER_API_KEY": server.api_key,
            "IMAGEROUTER_BASE_URL": server.base_url,
            "IMAGEROUTER_POPULAR_URL": server.popular_url,
            "MEMBER_JOBS": "1",
            "PROCESS_JOBS": "1",
            "MAX_WAITING_JOBS": "1",
        }
    )
    parts = Parts(
        clock=clock or SystemClock(),
        patience=Patience(delays=(0.01,), downloads=(), notes=0),
        insistence=(),
        ledger=ledger,
        messenger=messenger,
    )
    bot = await stack.enter_async_context(build(settings, parts))
    await bot.services.catalog.load()
    return bot.services.generation


async def test_a_card_that_can_not_be_shown_becomes_an_explanation_with_its_cost(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    messenger = Clumsy(Result)
    running = await generation(stack, tmp_path, messenger, server)

    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem="1")
    await running.idle()

    last = messenger.said[-1]
    assert isinstance(last, Failure)
    assert last.report is not None
    assert last.report.cost == 1_300
    books = Books(tmp_path / "bot.db")
    assert [c["state"] for c in books.charges()] == ["settled"]
    assert [j["delivery"] for j in books.rows("SELECT * FROM job")] == ["delivered"]


async def test_courtesies_that_fail_stop_nothing(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    messenger = Clumsy(Progress, Spent)
    running = await generation(stack, tmp_path, messenger, server)

    for number in range(3):
        await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem=str(number))
        await running.idle()

    assert [type(card) for card in messenger.said] == [Result] * 3
    assert running.in_flight == 0


async def test_a_cost_that_the_books_do_not_take_for_minutes_is_recorded_later(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    running = await generation(stack, tmp_path, Clumsy(), server)
    books = Books(tmp_path / "bot.db")
    gate = server.faults.hold()
    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem="1")
    await gate.reached()
    books.change("ALTER TABLE entry RENAME TO hidden")
    gate.open()
    await running.idle()
    await running.charger.record_late()
    assert [(c["state"], c["actual"]) for c in books.charges()] == [("dispatched", None)]

    books.change("ALTER TABLE hidden RENAME TO entry")
    await running.charger.record_late()
    assert [(c["state"], c["actual"]) for c in books.charges()] == [("settled", 1_300)]


async def test_a_stop_records_what_the_books_did_not_take(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    running = await generation(stack, tmp_path, Clumsy(), server)
    books = Books(tmp_path / "bot.db")
    gate = server.faults.hold()
    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem="1")
    await gate.reached()
    books.change("ALTER TABLE entry RENAME TO hidden")
    gate.open()
    await running.idle()
    books.change("ALTER TABLE hidden RENAME TO entry")

    await running.drain(lambda sent: None)
    assert [(c["state"], c["actual"]) for c in books.charges()] == [("settled", 1_300)]


async def test_a_card_that_can_not_be_made_goes_with_its_picture_alone(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    messenger = Clumsy(Result, takes_bare=True)
    running = await generation(stack, tmp_path, messenger, server)

    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), REPLY, idem="1")
    await running.idle()

    assert [type(card) for card in messenger.said] == [Progress, Result, Spent]
    books = Books(tmp_path / "bot.db")
    assert [j["delivery"] for j in books.rows("SELECT * FROM job")] == ["delivered"]


class Slow(Clumsy):
    """A messenger that takes its time for the last word on a late job."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def edit(self, reply: ReplyRoute, card: Card) -> Posted:
        if isinstance(card, Progress) and card.late:
            self.reached.set()
            await self.go_on.wait()
        return self._say(card)


async def test_an_edit_on_its_way_is_not_cut_off_so_that_it_can_not_overtake_the_result(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    messenger = Slow()
    clock = SandboxClock()
    running = await generation(stack, tmp_path, messenger, server, clock=clock)
    gate = server.faults.hold()
    reply = replace(REPLY, expires_at_ms=clock.now_ms() + NOTICE_MS + 1)
    await running.submit(ACTOR, ImageRequest("imagine", "a boat"), reply, idem="1")
    await gate.reached()
    await messenger.reached.wait()
    gate.open()
    await asyncio.wait({asyncio.create_task(running.idle())}, timeout=0.5)
    messenger.go_on.set()
    await running.idle()

    assert [getattr(card, "late", None) for card in messenger.said] == [False, True, None, None]


class Blind(Ledger):
    """A ledger that records, and can't say what a person has spent today."""

    async def settle(
        self, charge_id: int, *, actual: Micros, outputs: Sequence[Output] = (), reason: str = ""
    ) -> Settlement:
        done = await super().settle(charge_id, actual=actual, outputs=outputs, reason=reason)
        return replace(done, spent_today=None)

    async def spent_today(self, actor: Actor) -> Micros:
        raise LedgerUnavailable("torn")


@pytest.mark.parametrize("private", [False, True])
async def test_a_spend_that_can_not_be_read_holds_back_no_picture(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer, *, private: bool
) -> None:
    messenger = Clumsy()
    running = await generation(stack, tmp_path, messenger, server, ledger=Blind)

    request = ImageRequest("imagine", "a boat", private=private)
    await running.submit(ACTOR, request, REPLY, idem="1")
    await running.idle()

    *_, last = messenger.said
    assert isinstance(last, Result)
    assert (last.today, len(last.shown)) == (None, 1)


class Torn(Ledger):
    """A ledger with a fault: it breaks once in each of two places."""

    broken: frozenset[str] = frozenset({"dispatch", "settle"})

    def _break(self, place: str) -> None:
        if place in self.broken:
            self.broken -= {place}
            raise ZeroDivisionError

    async def dispatch(self, charge_id: int, *, lease_ms: int) -> bool:
        self._break("dispatch")
        return await super().dispatch(charge_id, lease_ms=lease_ms)

    async def settle(
        self, charge_id: int, *, actual: Micros, outputs: Sequence[Output] = (), reason: str = ""
    ) -> Settlement:
        self._break("settle")
        return await super().settle(charge_id, actual=actual, outputs=outputs, reason=reason)


async def test_a_fault_at_one_charge_costs_no_other_picture_and_forgets_no_cost(
    stack: AsyncExitStack, tmp_path: Path, server: ImageRouterServer
) -> None:
    messenger = Clumsy()
    running = await generation(stack, tmp_path, messenger, server, ledger=Torn)
    gate = server.faults.hold()
    await running.submit(ACTOR, ImageRequest("imagine", "settled twice"), REPLY, idem="1")
    await gate.reached()
    two = ImageRequest("imagine", "dispatched twice", count=2)
    await running.submit(ACTOR, two, REPLY, idem="2")
    gate.open()
    await running.idle()
    await running.charger.record_late()

    results = [card for card in messenger.said if isinstance(card, Result)]
    assert [len(card.report.pictures) for card in results] == [1, 1]
    assert len(server.requests) == 2
    states = [(c["state"], c["actual"] or 0) for c in Books(tmp_path / "bot.db").charges()]
    assert sorted(states, key=str) == [("released", 0), ("settled", 1_300), ("settled", 1_300)]
