"""What a guild lets its members use: which models, where, and how. Pure rules, no I/O.

A person's model has to pass three lists: the guild's, the channel's, and those of their roles. In
each of them a denial wins; where something is allowed by name, everything else is not. Of several
roles the allowed models add up, like everything that roles give; a denial of one of them holds.
Who keeps the rules, and where they are enforced, is `bot.storage` and `bot.planner`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from bot.errors import ChannelNotAllowed, PrivateNotAllowed, RequestError
from bot.requests import NO_GUILD, Actor, ImageRequest
from bot.wildcards import is_like, pieces_of

MOST_PATTERN: Final = 100
"""Characters of a pattern: those of a model's id in a choice of Discord's."""
_PATTERN_SIGNS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_./:+@*")


class Effect(StrEnum):
    """What a rule does with the models that its pattern names."""

    ALLOW = "allow"
    """These may be used, and no others, unless another such rule names them."""
    DENY = "deny"
    AGE_RESTRICTED = "age_restricted"
    """Only in channels that Discord calls age-restricted. Of the whole guild alone."""


class Reach(StrEnum):
    """For whom or where a rule is."""

    GUILD = "guild"
    ROLE = "role"
    """Each holder of a role; everybody holds the one whose id is the guild's."""
    CHANNEL = "channel"
    """A channel and its threads."""


@dataclass(frozen=True, slots=True)
class ModelRule:
    """A line of the lists: what happens to the models that `pattern` names, and where."""

    reach: Reach
    subject_id: int
    """The role or channel; 0 for the guild."""
    effect: Effect
    pattern: str
    """A model's id in small letters, in which `*` stands for anything."""

    @property
    def order(self) -> tuple[str, ...]:
        """For lists that people read: by place, then what is allowed, then what is denied."""
        return (self.reach.value, str(self.subject_id), self.effect.value, self.pattern)


def checked_pattern(typed: str) -> str | None:
    """Return what somebody typed as a pattern of model ids; None when it can't be one."""
    pattern = typed.strip().casefold()
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    if not pattern or len(pattern) > MOST_PATTERN or not _PATTERN_SIGNS.issuperset(pattern):
        return None
    return pattern


def matches(pattern: str, model_id: str) -> bool:
    """Whether a pattern names a model; case makes no difference."""
    return is_like(_pieces(pattern), model_id.casefold())


@lru_cache(maxsize=4096)
def _pieces(pattern: str) -> tuple[str, ...]:
    return pieces_of(pattern.casefold())


class ModelNotAllowed(RequestError):
    """`rule` keeps `model` from this person or place; `alternatives` may be used.

    `model` is empty where the rules leave no model at all that could do the job.
    """

    def __init__(
        self, model: str, rule: ModelRule | None = None, alternatives: Sequence[str] = ()
    ) -> None:
        super().__init__(model)
        self.model = model
        self.rule = rule
        self.alternatives = tuple(alternatives)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may be used, and by which rule it may not."""

    allowed: bool
    rule: ModelRule | None = None
    """The denial, or one of the allowances of the list that the model is missing from."""

    def __bool__(self) -> bool:
        return self.allowed


_YES: Final = Verdict(allowed=True)


@dataclass(frozen=True)
class ModelPolicy:
    """Everything that a guild has set about models, and the version that it had then."""

    version: int = 0
    """Raised with each change; a job that was judged by an older one is judged anew."""
    rules: tuple[ModelRule, ...] = ()
    channels: frozenset[int] = frozenset()
    """Where pictures may be made; empty: everywhere."""
    private_allowed: bool = True
    default_model: str | None = None
    blocked_phrases: tuple[str, ...] = ()
    """In the language of `bot.blocklist`."""
    log_channel: int | None = None
    _lists: dict[tuple[Reach, int], tuple[ModelRule, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for rule in self.rules:
            key = (rule.reach, rule.subject_id)
            self._lists[key] = (*self._lists.get(key, ()), rule)

    def allows(self, model_id: str, actor: Actor) -> Verdict:
        """Judge a model for `actor`, where they are, with the roles that they have."""
        roles = {*actor.role_ids, actor.guild_id}
        held = [rule for role in sorted(roles) for rule in self._lists.get((Reach.ROLE, role), ())]
        for rules in (
            self._lists.get((Reach.GUILD, 0), ()),
            self._lists.get((Reach.CHANNEL, actor.channel_id), ()),
            held,
        ):
            if not (verdict := _judge(rules, model_id, age_restricted=actor.age_restricted)):
                return verdict
        return _YES

    def allows_channel(self, channel_id: int) -> bool:
        """Whether pictures may be made in a channel."""
        return not self.channels or channel_id in self.channels


def _judge(rules: Sequence[ModelRule], model_id: str, *, age_restricted: bool) -> Verdict:
    """Judge by one list: a denial wins, and where something is allowed, the rest is not."""
    named = [rule for rule in rules if matches(rule.pattern, model_id)]
    for rule in named:
        if rule.effect is Effect.DENY:
            return Verdict(allowed=False, rule=rule)
        if rule.effect is Effect.AGE_RESTRICTED and not age_restricted:
            return Verdict(allowed=False, rule=rule)
    allowing = [rule for rule in rules if rule.effect is Effect.ALLOW]
    if allowing and not any(rule.effect is Effect.ALLOW for rule in named):
        return Verdict(allowed=False, rule=allowing[0])
    return _YES


class HasId(Protocol):
    """A model, as far as policies look at it."""

    @property
    def id(self) -> str:
        """Its id in the catalogue."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may use in one place; called with a model, it says whether they may."""

    policy: ModelPolicy
    actor: Actor

    def __call__(self, model: HasId) -> bool:
        """Whether this model may be used."""
        return bool(self.policy.allows(model.id, self.actor))

    def verdict(self, model_id: str) -> Verdict:
        """Judge a model, and name the rule."""
        return self.policy.allows(model_id, self.actor)

    def check(self, request: ImageRequest) -> None:
        """Refuse what no other model could mend.

        Raises:
            ChannelNotAllowed: no pictures are made in this channel.
            PrivateNotAllowed: the answer would be private.
        """
        if not self.policy.allows_channel(self.actor.channel_id):
            raise ChannelNotAllowed(sorted(self.policy.channels))
        if request.private and not self.policy.private_allowed:
            raise PrivateNotAllowed

    def permits(self, request: ImageRequest) -> bool:
        """Whether this could be asked for, as far as its place and its model go."""
        try:
            self.check(request)
        except RequestError:
            return False
        return request.model is None or bool(self.verdict(request.model))


EVERYTHING: Final = Allowance(ModelPolicy(), Actor(0, NO_GUILD, 0))
"""Where nothing is set, or nobody is asked: every model, everywhere."""
