"""The ledger under rules that people change at any time, against the same plain model.

The model keeps what was set as a dictionary and looks up each limit anew. Only where a window
begins in a guild's own time zone is asked of `bot.quotas`, whose windows have tests of their own.
"""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bot.errors import RequestError
from bot.quotas import (
    SPANS,
    Blocked,
    Defaults,
    Limit,
    PictureTooDear,
    QuotaExceeded,
    Scope,
    Target,
    Window,
    ZoneChange,
    window_at,
)
from bot.requests import Actor
from bot.storage import ChargeState, HeldJob, NewJob, Who
from tests.storage.books import MINUTE
from tests.storage.comparisons import AMOUNTS, COMPARED, Wanted
from tests.storage.machines import run_machine
from tests.storage.test_machine import Key, LedgerMachine

ADMIN = 1
USERS, GUILDS, ROLES = (11, 12), (77, 78), (4, 5)
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "Europe/Berlin")
LOCAL = {Scope.MEMBER.value, Scope.CHANNEL.value, Scope.GUILD.value}
EVERYBODY = (
    *(Who.member(77, 11), Who.role(77, 4), Who.role(77, 5), Who.each_member(77)),
    *(Who.channel(77, 770), Who.guild(77), Who.ceiling(77), Who.any_guild(), Who.guild(78)),
    *(Who.person(11), Who.person(12), Who.direct_messages(), Who.everybody()),
)
ONE_OF_EACH = (
    *(Who.channel(77, 770), Who.guild(77), Who.ceiling(77), Who.member(77, 11)),
    *(Who.person(12), Who.direct_messages(), Who.everybody()),
)
"""Somebody for each kind of limit that can refuse."""
user_ids, guild_ids = st.sampled_from(USERS), st.sampled_from(GUILDS)


class RulesMachine(LedgerMachine):
    """Everything that happens to a ledger, and rules, grants, roles, blocks and time zones."""

    reached: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    reached_late: ClassVar[Counter[tuple[ChargeState, ChargeState]]] = Counter()
    happened: ClassVar[Counter[str]] = Counter()
    refusals: ClassVar[Counter[Scope]] = Counter()
    compared: ClassVar[Counter[int]] = Counter()
    seen: ClassVar[Counter[str]] = Counter()
    tightest: ClassVar[Who]
    """Who has the least to begin with: chance alone leaves some limits untouched for long."""
    defaults: ClassVar[Defaults] = Defaults(
        member_day=15_000, guild_month=20_000, bot_month=60_000, dm_day=4000, open_jobs=3
    )

    def __init__(self) -> None:
        super().__init__()
        self.set_rules: dict[tuple[Who, Window], int] = {}
        self.grants: list[tuple[int, int, int, int]] = []
        self.zones: dict[int, list[ZoneChange]] = {}
        self.roles: dict[tuple[int, int], frozenset[int]] = {}
        self.blocked: set[tuple[int, int]] = set()

    # What the model knows

    def keys(self, actor: Actor) -> tuple[Key, ...]:
        zones = self.zones.get(actor.guild_id, [])
        return tuple(
            (scope, subject, period, self.begun(Window(period), zones))
            if scope in LOCAL
            else (scope, subject, period, start)
            for scope, subject, period, start in super().keys(actor)
        )

    def begun(self, window: Window, zones: list[ZoneChange]) -> int:
        return window_at(window, self.clock.now, zones).start_ms

    def first_set(self, window: Window, *whos: Who) -> int | None:
        return next(
            (self.set_rules[w, window] for w in whos if (w, window) in self.set_rules), None
        )

    def own(self, actor: Actor, window: Window) -> int | None:
        guild = actor.guild_id
        of_roles = [
            self.set_rules[Who.role(guild, role), window]
            for role in actor.role_ids
            if (Who.role(guild, role), window) in self.set_rules
        ]
        found = self.first_set(window, Who.member(guild, actor.user_id))
        if found is None:
            found = max(of_roles, default=None)
        if found is None:
            found = self.first_set(window, Who.each_member(guild))
        if found is None and window is Window.DAY:
            found = self.defaults.member_day
        if found is None or window is Window.IMAGE:
            return found
        since = self.begun(window, self.zones.get(guild, []))
        given = [g[2] for g in self.grants if g[:2] == (guild, actor.user_id) and g[3] >= since]
        type(self).seen["grant"] += bool(given)
        return found + sum(given)

    def limits(self, actor: Actor) -> dict[tuple[Scope, Window], int]:
        """Look up every limit for a person in a place."""
        guild, month = actor.guild_id, self.defaults
        found: dict[tuple[Scope, Window], int | None] = {}
        for window in (*SPANS, Window.IMAGE):
            found[Scope.PERSON, window] = self.first_set(window, Who.person(actor.user_id))
            found[Scope.BOT, window] = self.first_set(window, Who.everybody())
            if guild:
                channel = Who.channel(guild, actor.channel_id)
                found[Scope.MEMBER, window] = self.own(actor, window)
                found[Scope.CHANNEL, window] = self.first_set(window, channel)
                found[Scope.GUILD, window] = self.first_set(window, Who.guild(guild))
                found[Scope.CEILING, window] = self.first_set(
                    window, Who.ceiling(guild), Who.any_guild()
                )
            else:
                found[Scope.DM, window] = self.first_set(window, Who.direct_messages())
        fallbacks = {
            (Scope.BOT, Window.MONTH): month.bot_month,
            (Scope.CEILING, Window.MONTH): month.guild_month,
            (Scope.DM, Window.DAY): month.dm_day,
        }
        for key, amount in fallbacks.items():
            if key in found and found[key] is None:
                found[key] = amount
        found[Scope.MEMBER if guild else Scope.DM, Window.OPEN] = self.defaults.open_jobs
        return {key: amount for key, amount in found.items() if amount is not None}

    # What happens

    @initialize(
        first=st.lists(
            st.tuples(
                st.sampled_from(EVERYBODY),
                st.sampled_from([Window.DAY, Window.IMAGE]),
                st.sampled_from([1000, 4000]),
            ),
            min_size=1,
            max_size=3,
        ),
        dearest=st.sampled_from([None, Who.guild(77), Who.person(12)]),
        zone=st.sampled_from(ZONES),
    )
    def some_rules_are_there(
        self,
        first: list[tuple[Who, Window, int]],
        dearest: Who | None,
        zone: str,
    ) -> None:
        self.change_zone(guild=77, zone=zone)
        self.hold_by_the_rules(11, 77, wanted=[("some/model-0", 0), ("some/model-1", 1)])
        for who, window, amount in first:
            self.set_a_rule(who=who, window=window, amount=amount)
        tightest = type(self).tightest
        self.set_a_rule(who=tightest, window=Window.WEEK, amount=2500)
        if dearest is not None:
            self.set_a_rule(who=dearest, window=Window.IMAGE, amount=1000)
            self.hold_by_the_rules(12, 77, pictures=1, ceiling=2500)
        user = tightest.id if tightest.target in {Target.MEMBER, Target.PERSON} else 11
        guild = 0 if tightest.target is Target.DM else 77
        self.hold_by_the_rules(user, guild, pictures=3, ceiling=1000)
        place = ONE_OF_EACH.index(tightest)
        if place % 2:
            self.grant(user=11, guild=77, amount=3000)
            self.hold_by_the_rules(11, 77, pictures=1, ceiling=1000)
        else:
            self.time_passes_and_the_sweeper_comes(ms=MINUTE)
            self.change_zone(guild=77, zone=next(other for other in ZONES if other != zone))
        if place % 3 == 0:
            self.somebody_was_erased_before_the_truth_came(
                user=12, delivered=True, truths=[ChargeState.SETTLED], corrected=False
            )
            self.set_a_rule(who=Who.member(77, 12), window=Window.DAY, amount=0)
            self.set_a_rule(who=Who.member(77, 12), window=Window.DAY, amount=1000)
            self.hold_by_the_rules(12, 77, pictures=2, ceiling=1000)
            self.block_whom_was_erased(guild=77)

    @rule(
        who=st.sampled_from(EVERYBODY),
        window=st.sampled_from([*SPANS, Window.IMAGE, Window.IMAGE]),
        amount=st.sampled_from([None, None, 0, 1000, 4000, 4000, 12_000]),
    )
    def set_a_rule(self, who: Who, window: Window, amount: int | None) -> None:
        before = self.runner.run(self.books.policies.set_limit(who, window, amount, by=ADMIN))
        assert before == self.set_rules.pop((who, window), None)
        if amount is not None:
            self.set_rules[who, window] = amount
        spent = any(c.actual and who.guild_id in {c.guild, 0} for c in self.charges.values())
        type(self).seen["rule changed mid-window"] += spent and before != amount

    @rule(user=user_ids, guild=guild_ids, amount=st.sampled_from([500, 3000]))
    def grant(self, user: int, guild: int, amount: int) -> None:
        self.runner.run(self.books.policies.grant(guild, user, amount, reason="why not", by=ADMIN))
        self.grants.append((guild, user, amount, self.clock.now))

    @rule(user=user_ids, guild=guild_ids, roles=st.frozensets(st.sampled_from(ROLES)))
    def change_roles(self, user: int, guild: int, roles: frozenset[int]) -> None:
        self.roles[user, guild] = roles
        type(self).seen["role change"] += 1

    @rule(guild=guild_ids, zone=st.sampled_from(ZONES))
    def change_zone(self, guild: int, zone: str) -> None:
        known = self.zones.setdefault(guild, [])
        counted = any(charge.guild == guild for charge in self.charges.values())
        before = {w: window_at(w, self.clock.now, known) for w in SPANS}
        self.runner.run(self.books.policies.set_timezone(guild, zone, by=ADMIN))
        if known and known[-1].zone == zone:
            return
        at_ms = self.clock.now if known or counted else 0
        self.zones[guild] = [c for c in known if c.at_ms != at_ms] + [ZoneChange(at_ms, zone)]
        if counted:
            after = {w: window_at(w, self.clock.now, self.zones[guild]) for w in SPANS}
            assert after == before
            type(self).seen["zone flipped"] += len(self.zones[guild]) > 1

    @rule(user=st.just(12), guild=guild_ids)
    def block_or_unblock(self, user: int, guild: int) -> None:
        policies = self.books.policies
        if (user, guild) in self.blocked:
            assert self.runner.run(policies.unblock(guild, user, by=ADMIN))
        else:
            assert self.runner.run(policies.block(guild, user, reason="", by=ADMIN))
        self.blocked ^= {(user, guild)}

    @precondition(lambda machine: 12 in machine.once_erased)
    @rule(guild=guild_ids)
    def block_whom_was_erased(self, guild: int) -> None:
        if (12, guild) not in self.blocked:
            self.block_or_unblock(user=12, guild=guild)
        self.hold_by_the_rules(12, guild, pictures=1, ceiling=0)

    @rule(user=user_ids, pictures=st.integers(1, 3), ceiling=st.sampled_from(AMOUNTS))
    def hold_in_the_guild(self, user: int, pictures: int, ceiling: int) -> None:
        self.hold_by_the_rules(user, 77, pictures=pictures, ceiling=ceiling)

    @rule(user=user_ids, guild=st.sampled_from([77, 0]), wanted=COMPARED)
    def compare_by_the_rules(self, user: int, guild: int, wanted: Wanted) -> None:
        self.hold_by_the_rules(user, guild, wanted=wanted)

    @rule(user=user_ids, guild=st.sampled_from([78, 0]), ceiling=st.sampled_from(AMOUNTS))
    def hold_elsewhere(self, user: int, guild: int, ceiling: int) -> None:
        self.hold_by_the_rules(user, guild, pictures=2, ceiling=ceiling)

    @rule(user=user_ids, roles=st.sampled_from([(), (4,), (4, 5)]))
    def hold_with_other_roles(self, user: int, roles: tuple[int, ...]) -> None:
        self.change_roles(user=user, guild=77, roles=frozenset(roles))
        self.hold_by_the_rules(user, 77, pictures=1, ceiling=1000)

    def hold(
        self,
        *,
        user: int,
        guild: int,
        pictures: int,
        ceiling: int,
        rules: list[tuple[Scope, Window, int]],
        cap: int | None,
    ) -> None:
        """Hold as the other machine does, but only to begin with: here the rules are at stake."""
        super().hold(
            user=user, guild=guild, pictures=pictures, ceiling=ceiling, rules=rules, cap=cap
        )

    def compare(self, *, user: int, guild: int, wanted: Wanted, most: int | None) -> None:
        """Not by limits that no rule has set, either."""

    def hold_by_the_rules(
        self,
        user: int,
        guild: int,
        *,
        pictures: int = 1,
        ceiling: int = 0,
        wanted: Wanted | None = None,
    ) -> None:
        roles = tuple(sorted(self.roles.get((user, guild), ())))
        job = self.books.job(
            ceiling=ceiling,
            pictures=pictures,
            user=user,
            guild=guild,
            channel=guild * 10,
            roles=roles,
            compared=wanted or (),
        )
        keys, limits = self.keys(job.actor), self.limits(job.actor)
        prices = [amount for (_, window), amount in limits.items() if window is Window.IMAGE]
        dear = bool(prices) and job.dearest > min(prices)
        broken = {
            key
            for key, amount in limits.items()
            if key[1] is not Window.IMAGE
            and not self.fits(Limit(*key, amount), keys, job.actor, job.amount)
        }
        stopped = (user, guild) in self.blocked
        asked = {"price": job.dearest, "count": len(job.charges)}
        standing = self.runner.run(self.books.policies.standing(job.actor, **asked))
        told = {(h.limit.scope, h.limit.window): h.limit.amount for h in standing.limits}
        assert told == limits
        room = not dear and all(window is Window.OPEN for _, window in broken)
        assert standing.takes([charge.ceiling for charge in job.charges]) == room
        alike = job.amount == job.dearest * len(job.charges)
        assert not alike or standing.fits == (not stopped and not dear and not broken)
        match self.try_to_hold(job):
            case Blocked():
                assert stopped
                type(self).seen["blocked"] += 1
                type(self).seen["blocked, though erased"] += user in self.once_erased
            case PictureTooDear() as refusal:
                assert dear
                assert not stopped
                assert refusal.limit.amount == min(prices)
                type(self).seen["too dear"] += 1
            case QuotaExceeded() as refusal:
                assert not stopped
                assert not dear
                assert (refusal.limit.scope, refusal.limit.window) in broken
                binding = standing.binding
                assert binding is not None
                assert not alike or (refusal.limit, refusal.left) == (binding.limit, binding.left)
                type(self).refusals[refusal.limit.scope] += 1
                own = not refusal.limit.scope.is_pooled
                type(self).seen["refused, though erased"] += own and user in self.once_erased
            case HeldJob() as held:
                assert not stopped
                assert not dear
                assert not broken
                self.note(held, job, keys, limits)
            case other:
                raise AssertionError(other)

    def try_to_hold(self, job: NewJob) -> HeldJob | RequestError:
        try:
            return self.runner.run(self.books.ledger.hold(job))
        except RequestError as refusal:
            return refusal

    def note(
        self,
        held: HeldJob,
        job: NewJob,
        keys: tuple[Key, ...],
        limits: dict[tuple[Scope, Window], int],
    ) -> None:
        """Add what was held to the model; whatever its limits are, they were kept."""
        self.add(held, job, keys)
        for (scope, window), amount in limits.items():
            if window in SPANS and job.amount:
                (key,) = [k for k in keys if (k[0], k[2]) == (scope, window)]
                reserved, settled, overrun = self.used(key)
                assert settled - overrun + reserved <= amount


@pytest.mark.timeout(400)
def test_rules_changed_at_any_time_bind_as_the_model_says(
    engine: str, new_url: Callable[[], str]
) -> None:
    RulesMachine.new_url = new_url
    RulesMachine.refusals.clear()
    RulesMachine.seen.clear()
    RulesMachine.compared.clear()
    RulesMachine.reached_late.clear()
    RulesMachine.happened.clear()
    for RulesMachine.tightest in ONE_OF_EACH:
        run_machine(RulesMachine, engine, examples=9, steps=40)
    happened = {kind for kind, times in RulesMachine.seen.items() if times}
    assert happened == {
        "rule changed mid-window",
        "grant",
        "role change",
        "zone flipped",
        "blocked",
        "too dear",
        "blocked, though erased",
        "refused, though erased",
    }
    assert max(RulesMachine.compared) > 1
    assert set(RulesMachine.refusals) == set(Scope)
    assert set(Target) == {who.target for who in EVERYBODY}
