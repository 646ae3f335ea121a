"""Which models a guild's lists leave to somebody: pure rules, and what holds whatever is set."""

import fnmatch
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.errors import ChannelNotAllowed, PrivateNotAllowed
from bot.policy import (
    EVERYTHING,
    Allowance,
    Effect,
    ModelPolicy,
    ModelRule,
    Reach,
    checked_pattern,
    matches,
)
from bot.requests import Actor, ImageRequest

GUILD, OTHER_ROLE, BOOSTER, ARTIST = 77, 1, 2, 3
HALL, DEN = 700, 701
MIRA = Actor(11, GUILD, HALL)
MODELS = ("openai/gpt", "openai/gpt:free", "acme/fold", "acme/fold:free", "acme/lens")


@dataclass(frozen=True)
class Named:
    id: str


def allow(pattern: str, reach: Reach = Reach.GUILD, subject: int = 0) -> ModelRule:
    return ModelRule(reach, subject, Effect.ALLOW, pattern)


def deny(pattern: str, reach: Reach = Reach.GUILD, subject: int = 0) -> ModelRule:
    return ModelRule(reach, subject, Effect.DENY, pattern)


def left(actor: Actor, *rules: ModelRule) -> set[str]:
    policy = ModelPolicy(rules=rules)
    return {model for model in MODELS if policy.allows(model, actor)}


def test_nothing_set_allows_everything() -> None:
    assert left(MIRA) == set(MODELS)
    EVERYTHING.check(ImageRequest("imagine", "a boat", private=True))


def test_where_something_is_allowed_everything_else_is_not() -> None:
    assert left(MIRA, allow("openai/*")) == {"openai/gpt", "openai/gpt:free"}
    assert left(MIRA, allow("openai/*"), allow("acme/lens")) == {
        "openai/gpt",
        "openai/gpt:free",
        "acme/lens",
    }


def test_a_denial_wins_over_an_allowance_of_the_same_list_however_exact() -> None:
    assert left(MIRA, allow("openai/gpt"), deny("openai/*")) == set()
    assert left(MIRA, allow("openai/*"), deny("*:free")) == {"openai/gpt"}


def test_channel_and_roles_must_both_allow() -> None:
    rules = (
        allow("openai/*", Reach.CHANNEL, HALL),
        allow("*:free", Reach.ROLE, GUILD),
    )
    assert left(MIRA, *rules) == {"openai/gpt:free"}
    assert left(replace(MIRA, channel_id=DEN), *rules) == {"openai/gpt:free", "acme/fold:free"}


def test_what_several_roles_allow_adds_up_and_a_denial_of_one_of_them_holds() -> None:
    rules = (
        allow("*:free", Reach.ROLE, GUILD),  # everybody
        allow("openai/*", Reach.ROLE, BOOSTER),
        deny("*gpt:free", Reach.ROLE, ARTIST),
    )
    assert left(MIRA, *rules) == {"openai/gpt:free", "acme/fold:free"}
    booster = replace(MIRA, role_ids=(BOOSTER,))
    assert left(booster, *rules) == {"openai/gpt", "openai/gpt:free", "acme/fold:free"}
    both = replace(MIRA, role_ids=(BOOSTER, ARTIST, OTHER_ROLE))
    assert left(both, *rules) == {"openai/gpt", "acme/fold:free"}


def test_models_for_age_restricted_channels_are_kept_from_all_others() -> None:
    rule = ModelRule(Reach.GUILD, 0, Effect.AGE_RESTRICTED, "acme/*")
    assert left(MIRA, rule) == {"openai/gpt", "openai/gpt:free"}
    assert left(replace(MIRA, age_restricted=True), rule) == set(MODELS)


def test_the_verdict_names_the_rule_that_says_no() -> None:
    channel, everywhere = deny("acme/*", Reach.CHANNEL, HALL), allow("openai/*")
    policy = ModelPolicy(rules=(everywhere,))
    assert policy.allows("acme/fold", MIRA).rule == everywhere
    assert ModelPolicy(rules=(channel,)).allows("acme/fold", MIRA).rule == channel
    assert policy.allows("openai/gpt", MIRA).rule is None


def test_only_the_channels_that_are_named_and_no_private_results() -> None:
    asked = ImageRequest("imagine", "a boat")
    closed = Allowance(ModelPolicy(channels=frozenset({DEN, 702})), MIRA)
    with pytest.raises(ChannelNotAllowed) as refused:
        closed.check(asked)
    assert refused.value.channels == (DEN, 702)
    Allowance(closed.policy, replace(MIRA, channel_id=DEN)).check(asked)
    open_to_all = Allowance(ModelPolicy(private_allowed=False), MIRA)
    open_to_all.check(asked)
    with pytest.raises(PrivateNotAllowed):
        open_to_all.check(replace(asked, private=True))


def test_what_is_permitted_is_judged_by_place_and_by_the_model_that_is_named() -> None:
    asked = ImageRequest("imagine", "a boat", model="acme/fold")
    assert not Allowance(ModelPolicy(rules=(deny("acme/*"),)), MIRA).permits(asked)
    assert Allowance(ModelPolicy(rules=(deny("openai/*"),)), MIRA).permits(asked)
    assert not Allowance(ModelPolicy(channels=frozenset({DEN})), MIRA).permits(asked)


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        (" OpenAI/* ", "openai/*"),
        ("*:free", "*:free"),
        ("a***b", "a*b"),
        ("", None),
        ("   ", None),
        ("acme/[a-z]", None),
        ("a b", None),
        ("`@everyone`", None),
        ("x" * 101, None),
    ],
)
def test_a_pattern_has_the_signs_of_ids_and_stars(typed: str, pattern: str | None) -> None:
    assert checked_pattern(typed) == pattern


SIGNS = "ab/:*"
RULES = st.lists(
    st.builds(
        ModelRule,
        st.sampled_from(Reach),
        st.sampled_from([0, GUILD, BOOSTER, ARTIST, HALL]),
        st.sampled_from(Effect),
        st.text("acmefoldpenigt/:*", min_size=1, max_size=8),
    ),
    max_size=6,
)
ACTORS = st.builds(
    Actor,
    st.just(11),
    st.just(GUILD),
    st.sampled_from([HALL, DEN]),
    st.sets(st.sampled_from([BOOSTER, ARTIST])).map(tuple),
    st.just(value=False),
    st.booleans(),
)


@given(st.text(SIGNS, max_size=10), st.text("ab/:", max_size=12))
def test_stars_stand_for_anything_and_all_else_for_itself(pattern: str, model: str) -> None:
    assert matches(pattern, model) == fnmatch.fnmatchcase(model, pattern)


@given(RULES, ACTORS, st.sampled_from(MODELS))
def test_one_more_denial_never_lets_more_through(
    rules: list[ModelRule], actor: Actor, denied: str
) -> None:
    for place in (deny(denied), deny(denied, Reach.ROLE, GUILD)):
        after = left(actor, *rules, place)
        assert after <= left(actor, *rules)
        assert denied not in after


@given(RULES, ACTORS)
def test_the_order_of_the_lines_makes_no_difference(rules: list[ModelRule], actor: Actor) -> None:
    assert left(actor, *rules) == left(actor, *reversed(rules))


@given(RULES, ACTORS)
def test_leaving_an_age_restricted_channel_never_lets_more_through(
    rules: list[ModelRule], actor: Actor
) -> None:
    assert left(replace(actor, age_restricted=False), *rules) <= left(
        replace(actor, age_restricted=True), *rules
    )


@given(RULES, ACTORS)
def test_what_passes_is_passed_by_guild_channel_and_roles_each(
    rules: list[ModelRule], actor: Actor
) -> None:
    by_each = [left(actor, *(rule for rule in rules if rule.reach is reach)) for reach in Reach]
    assert left(actor, *rules) == set.intersection(*by_each)


@given(RULES, st.lists(ACTORS, min_size=2, max_size=4))
def test_what_is_remembered_of_one_is_never_told_of_another(
    rules: list[ModelRule], actors: list[Actor]
) -> None:
    policy = ModelPolicy(rules=tuple(rules))
    for actor in (*actors, *actors):
        allowed = Allowance(policy, actor)
        assert {model for model in MODELS if allowed(Named(model))} == left(actor, *rules)


def test_a_changed_copy_of_a_policy_goes_by_its_own_rules() -> None:
    before = ModelPolicy(rules=(deny("acme/*"),))
    assert not Allowance(before, MIRA)(Named("acme/fold"))
    after = replace(before, rules=(deny("openai/*"),))
    assert Allowance(after, MIRA)(Named("acme/fold"))
    assert not Allowance(after, MIRA)(Named("openai/gpt"))


def test_a_pattern_of_stars_is_as_fast_as_any() -> None:
    assert not matches("*a" * 50 + "b", "a" * 100)
