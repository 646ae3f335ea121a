"""Which limits apply to whom: by hand, and against a slower reading of the same sentences."""

from hypothesis import given
from hypothesis import strategies as st

from bot.quotas import (
    FOREVER_MS,
    SPANS,
    Defaults,
    Grant,
    Headroom,
    Limit,
    Rule,
    Rules,
    Scope,
    Target,
    Window,
    ZoneChange,
    binding,
    limits_for,
    window_at,
)
from bot.requests import Actor

NOON = 1_785_412_800_000  # 2026-07-30T12:00:00Z, a Thursday
HOUR = 3_600_000
DAY = 24 * HOUR
ADA = Actor(11, 77, 770, role_ids=(4, 5))
OUTSIDE = Actor(11, 0, 990)
DEFAULTS = Defaults()
SET = (*SPANS, Window.IMAGE)


def found(rules: Rules, scope: Scope, window: Window, actor: Actor = ADA) -> Limit | None:
    """Find the one limit of a kind that applies; there is never more than one."""
    matching = [
        limit
        for limit in limits_for(rules, actor, now_ms=NOON)
        if (limit.scope, limit.window) == (scope, window)
    ]
    assert len(matching) <= 1
    return matching[0] if matching else None


def own(*rules: Rule, grants: tuple[Grant, ...] = (), window: Window = Window.DAY) -> Limit | None:
    return found(Rules(DEFAULTS, rules, grants), Scope.MEMBER, window)


def test_where_nobody_has_set_anything_nothing_is_unlimited() -> None:
    nothing = Rules(DEFAULTS)
    assert limits_for(nothing, ADA, now_ms=NOON) == (
        Limit(Scope.MEMBER, Window.DAY, 500_000),
        Limit(Scope.MEMBER, Window.OPEN, 3),
        Limit(Scope.CEILING, Window.MONTH, 10_000_000),
        Limit(Scope.BOT, Window.MONTH, 25_000_000),
    )


def test_direct_messages_are_off_until_the_operator_allows_some() -> None:
    assert limits_for(Rules(DEFAULTS), OUTSIDE, now_ms=NOON) == (
        Limit(Scope.DM, Window.DAY, 0),
        Limit(Scope.DM, Window.OPEN, 3),
        Limit(Scope.BOT, Window.MONTH, 25_000_000),
    )
    allowed = Rules(DEFAULTS, (Rule(Target.DM, Window.DAY, 700),))
    assert found(allowed, Scope.DM, Window.DAY, OUTSIDE) == Limit(
        Scope.DM, Window.DAY, 700, source=Target.DM
    )


def test_a_members_limit_is_the_override_then_the_best_role_then_the_default() -> None:
    default = Rule(Target.DEFAULT, Window.DAY, 100)
    low, high = Rule(Target.ROLE, Window.DAY, 200, 4), Rule(Target.ROLE, Window.DAY, 300, 5)
    override = Rule(Target.MEMBER, Window.DAY, 50)

    assert own(default) == Limit(Scope.MEMBER, Window.DAY, 100, source=Target.DEFAULT)
    assert own(default, low) == Limit(Scope.MEMBER, Window.DAY, 200, 4, Target.ROLE)
    assert own(high, default, low) == Limit(Scope.MEMBER, Window.DAY, 300, 5, Target.ROLE)
    assert own(high, override, default) == Limit(Scope.MEMBER, Window.DAY, 50, source=Target.MEMBER)


def test_a_role_may_also_allow_less_than_the_default() -> None:
    limit = own(Rule(Target.DEFAULT, Window.DAY, 900), Rule(Target.ROLE, Window.DAY, 0, 4))
    assert limit is not None
    assert (limit.amount, limit.role_id) == (0, 4)


def test_the_roles_of_others_are_nobodys_limit() -> None:
    limit = own(Rule(Target.ROLE, Window.DAY, 9_000_000, 6))
    assert limit == Limit(Scope.MEMBER, Window.DAY, 500_000)


def test_each_window_is_looked_up_by_itself() -> None:
    rules = Rules(
        DEFAULTS,
        (
            Rule(Target.MEMBER, Window.WEEK, 5),
            Rule(Target.ROLE, Window.DAY, 6, 4),
            Rule(Target.DEFAULT, Window.WEEK, 7),
            Rule(Target.DEFAULT, Window.MONTH, 8),
        ),
    )
    amounts = {
        limit.window: limit.amount
        for limit in limits_for(rules, ADA, now_ms=NOON)
        if limit.scope is Scope.MEMBER
    }
    assert amounts == {Window.DAY: 6, Window.WEEK: 5, Window.MONTH: 8, Window.OPEN: 3}


def test_a_guilds_ceiling_is_its_own_then_everybodys_then_the_settings() -> None:
    any_guild = Rule(Target.ANY_GUILD, Window.MONTH, 70)
    ceiling = Rule(Target.CEILING, Window.MONTH, 9)
    both = Rules(DEFAULTS, (any_guild, ceiling))
    assert found(both, Scope.CEILING, Window.MONTH) == Limit(
        Scope.CEILING, Window.MONTH, 9, source=Target.CEILING
    )
    limit = found(Rules(DEFAULTS, (any_guild,)), Scope.CEILING, Window.MONTH)
    assert limit is not None
    assert limit.amount == 70


def test_what_an_admin_sets_for_the_guild_leaves_the_operators_ceiling_as_it_is() -> None:
    rules = Rules(DEFAULTS, (Rule(Target.GUILD, Window.MONTH, 10**12),))
    ceiling = found(rules, Scope.CEILING, Window.MONTH)
    assert ceiling is not None
    assert ceiling.amount == 10_000_000


def test_operators_and_admins_are_bound_like_everybody() -> None:
    operator = Actor(11, 77, 770, role_ids=(4, 5), is_operator=True)
    rules = Rules(DEFAULTS, (Rule(Target.GUILD, Window.DAY, 5),))
    assert limits_for(rules, operator, now_ms=NOON) == limits_for(rules, ADA, now_ms=NOON)


def test_a_grant_adds_to_the_windows_that_ran_when_it_was_given() -> None:
    rules = (Rule(Target.DEFAULT, Window.DAY, 100), Rule(Target.DEFAULT, Window.WEEK, 400))
    yesterday = Grant(30, NOON - DAY)
    assert own(*rules, grants=(yesterday,)) == Limit(
        Scope.MEMBER, Window.DAY, 100, source=Target.DEFAULT
    )
    assert own(*rules, grants=(yesterday, Grant(5, NOON)), window=Window.WEEK) == Limit(
        Scope.MEMBER, Window.WEEK, 435, source=Target.DEFAULT, granted=35
    )


def test_a_grant_makes_no_limit_where_there_is_none_and_no_picture_dearer() -> None:
    grants = (Grant(30, NOON),)
    assert own(grants=grants, window=Window.MONTH) is None
    image = Rule(Target.DEFAULT, Window.IMAGE, 100)
    limit = own(image, grants=grants, window=Window.IMAGE)
    assert limit is not None
    assert limit.amount == 100


def test_a_grant_counts_in_the_days_of_the_guilds_own_zone() -> None:
    auckland = (ZoneChange(0, "Pacific/Auckland"),)  # where a day begins at noon UTC
    before, after = Grant(30, NOON - 1), Grant(7, NOON)
    limit = found(Rules(DEFAULTS, (), (before, after), auckland), Scope.MEMBER, Window.DAY)
    assert limit is not None
    assert limit.granted == 7


RULES = st.builds(
    Rule,
    target=st.sampled_from(Target),
    window=st.sampled_from(SET),
    amount=st.integers(0, 1000),
    role_id=st.integers(3, 6),
)


def readable(rules: list[Rule]) -> tuple[Rule, ...]:
    """Give only roles an id, and keep one rule of a kind, as the database does."""
    kinds = {
        (r.target, r.window, r.role_id if r.target is Target.ROLE else 0): r.amount for r in rules
    }
    return tuple(Rule(t, w, amount, role) for (t, w, role), amount in kinds.items())


@given(
    st.lists(RULES, max_size=25).map(readable),
    st.lists(st.builds(Grant, st.integers(1, 99), st.integers(NOON - 40 * DAY, NOON)), max_size=3),
    st.sets(st.integers(3, 6)).map(tuple),
    st.sampled_from([77, 0]),
)
def test_limits_are_what_the_sentences_say(
    rules: tuple[Rule, ...], grants: list[Grant], roles: tuple[int, ...], guild: int
) -> None:
    actor = Actor(11, guild, 770, roles)
    given_rules = Rules(DEFAULTS, rules, tuple(grants))
    limits = limits_for(given_rules, actor, now_ms=NOON)

    def amounts(target: Target, window: Window) -> list[int]:
        return [
            r.amount
            for r in rules
            if (r.target, r.window) == (target, window) and (not r.role_id or r.role_id in roles)
        ]

    def first_of(*groups: list[int]) -> list[int]:
        return next((group for group in groups if group), [])

    def extra(window: Window) -> int:
        since = window_at(window, NOON).start_ms
        return sum(g.amount for g in grants if g.granted_ms >= since and window in SPANS)

    wanted: dict[tuple[Scope, Window], int] = {}
    for window in SET:
        settings: dict[str, list[int]] = {"member": [], "ceiling": [], "dm": [], "bot": []}
        if window is Window.DAY:
            settings |= {"member": [DEFAULTS.member_day], "dm": [DEFAULTS.dm_day]}
        if window is Window.MONTH:
            settings |= {"ceiling": [DEFAULTS.guild_month], "bot": [DEFAULTS.bot_month]}
        choices = {Scope.PERSON: amounts(Target.PERSON, window)}
        choices[Scope.BOT] = first_of(amounts(Target.BOT, window), settings["bot"])
        if guild:
            choices[Scope.MEMBER] = first_of(
                amounts(Target.MEMBER, window),
                amounts(Target.ROLE, window),
                amounts(Target.DEFAULT, window),
                settings["member"],
            )
            choices[Scope.CHANNEL] = amounts(Target.CHANNEL, window)
            choices[Scope.GUILD] = amounts(Target.GUILD, window)
            choices[Scope.CEILING] = first_of(
                amounts(Target.CEILING, window),
                amounts(Target.ANY_GUILD, window),
                settings["ceiling"],
            )
        else:
            choices[Scope.DM] = first_of(amounts(Target.DM, window), settings["dm"])
        for scope, values in choices.items():
            if values:
                more = extra(window) if scope is Scope.MEMBER else 0
                wanted[scope, window] = max(values) + more
    wanted[Scope.MEMBER if guild else Scope.DM, Window.OPEN] = DEFAULTS.open_jobs
    assert {(limit.scope, limit.window): limit.amount for limit in limits} == wanted
    assert len(limits) == len(wanted)


@given(st.lists(RULES, max_size=25).map(readable), st.permutations(range(25)))
def test_the_order_of_rules_means_nothing(rules: tuple[Rule, ...], order: list[int]) -> None:
    shuffled = tuple(rules[i] for i in order if i < len(rules))
    assert limits_for(Rules(DEFAULTS, shuffled), ADA, now_ms=NOON) == limits_for(
        Rules(DEFAULTS, rules), ADA, now_ms=NOON
    )


def headroom(scope: Scope, window: Window, *, amount: int, used: int, needed: int) -> Headroom:
    bounds = window_at(window, NOON)
    return Headroom(Limit(scope, window, amount), used, needed, bounds.start_ms, bounds.end_ms)


def test_the_limit_that_binds_refuses_and_has_the_least_left() -> None:
    day = headroom(Scope.MEMBER, Window.DAY, amount=100, used=60, needed=50)
    month = headroom(Scope.GUILD, Window.MONTH, amount=1000, used=990, needed=50)
    total = headroom(Scope.BOT, Window.TOTAL, amount=1000, used=990, needed=50)
    roomy = headroom(Scope.CHANNEL, Window.DAY, amount=100, used=0, needed=50)
    assert binding([day, roomy]) is day
    assert binding([day, month, roomy]) is month
    assert binding([total, day, month]) is total
    assert binding([roomy]) is roomy
    assert binding([]) is None


def test_a_slot_binds_only_where_no_money_does() -> None:
    slot = headroom(Scope.MEMBER, Window.OPEN, amount=3, used=3, needed=1)
    day = headroom(Scope.MEMBER, Window.DAY, amount=100, used=60, needed=50)
    assert binding([slot, day]) is day
    assert binding([slot]) is slot
    assert slot.resets_at_ms is None


def test_what_costs_nothing_passes_every_limit_on_money() -> None:
    passed = headroom(Scope.MEMBER, Window.DAY, amount=100, used=160, needed=0)
    assert (passed.fits, passed.left) == (True, 0)
    assert not headroom(Scope.MEMBER, Window.DAY, amount=100, used=160, needed=1).fits
    assert passed.resets_at_ms == NOON + 12 * HOUR
    assert headroom(Scope.BOT, Window.TOTAL, amount=1, used=0, needed=0).ends_ms == FOREVER_MS
