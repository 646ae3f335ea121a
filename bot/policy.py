"""What a guild lets its members use: which models, where, and how. Pure rules, no I/O.

A person's model has to pass three lists: the guild's, the channel's, and those of their roles. In
each of them a denial wins; where something is allowed by name, everything else is not. Of several
roles the allowed models add up, like everything that roles give; a denial of one of them holds.
Who keeps the rules, and where they are enforced, is `bot.storage` and `bot.planner`.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from bot.errors import ChannelNotAllowed, PrivateNotAllowed, RequestError
from bot.hiding import repr_without
from bot.requests import NO_GUILD, Actor, ImageRequest
from bot.wildcards import is_like, pieces_of

MOST_PATTERN: Final = 100
"""Characters of a pattern: those of a model's id in a choice of Discord's."""
_MOST_KNOWN: Final = 50
"""Combinations of lists whose verdicts a policy remembers, each on so many models:"""
_MOST_VERDICTS: Final = 20_000
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


class ModelRule(Struct, frozen=True):
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


class Verdict(Struct, frozen=True):
    """Whether a model may be used, and by which rule it may not."""

    allowed: bool
    rule: ModelRule | None = None
    """The denial, or one of the allowances of the list that the model is missing from."""

    def __bool__(self) -> bool:
        return self.allowed


_YES: Final = Verdict(allowed=True)


_Key: TypeAlias = tuple[tuple[int, ...], bool]
"""Which lists hold, and whether the channel is age-restricted."""


class _Patterns:
    """Patterns that are looked at together, for thousands of models at once where lists are shown.

    Nearly all patterns are a name, a beginning or an end, which Python compares by itself.
    """

    def __init__(self, rules: Sequence[ModelRule]) -> None:
        self.rules = tuple(rules)
        cut = [pieces_of(rule.pattern.casefold()) for rule in rules]
        self._names = frozenset(pieces[0] for pieces in cut if len(pieces) == 1)
        pairs = [pieces for pieces in cut if len(pieces) == 2]  # noqa: PLR2004 - around one `*`
        self._starts = tuple(start for start, end in pairs if not end)
        self._ends = tuple(end for start, end in pairs if end and not start)
        others = [
            pieces
            for pieces in cut
            if len(pieces) > 2 or (len(pieces) == 2 and all(pieces))  # noqa: PLR2004 - as above
        ]
        self._others = [(max(pieces, key=len), pieces) for pieces in others]

    def names(self, name: str) -> bool:
        """Whether one of them names this model, given in small letters."""
        if name in self._names or name.startswith(self._starts) or name.endswith(self._ends):
            return True
        # The longest piece first: nearly always that settles it.
        return any(is_like(pieces, name) for longest, pieces in self._others if longest in name)

    def rule_on(self, name: str) -> ModelRule | None:
        """Return the first rule whose pattern names this model."""
        return next((rule for rule in self.rules if matches(rule.pattern, name)), None)


class _List:
    """The lines of one place, by what they do."""

    def __init__(self, rules: Sequence[ModelRule]) -> None:
        def of(effect: Effect) -> _Patterns:
            return _Patterns([rule for rule in rules if rule.effect is effect])

        self.allowed = of(Effect.ALLOW)
        self.denied = of(Effect.DENY)
        self.for_adults = of(Effect.AGE_RESTRICTED)


class _Follows:
    """What follows from a policy's rules; all are equal, since a policy is what was set."""

    def __init__(self, rules: Sequence[ModelRule]) -> None:
        by_place: dict[tuple[Reach, int], list[ModelRule]] = {}
        for rule in rules:
            by_place.setdefault((rule.reach, rule.subject_id), []).append(rule)
        self.lists = {place: _List(there) for place, there in by_place.items()}
        self.known: dict[_Key, dict[str, bool]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Follows)

    def __hash__(self) -> int:
        return 0


class ModelPolicy(Struct, frozen=True):
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
    _follows: _Follows = _Follows(())

    def __post_init__(self) -> None:
        force_setattr(self, "_follows", _Follows(self.rules))  # for a changed copy, too

    def __repr__(self) -> str:
        return repr_without(self, "_follows")

    def allows(self, model_id: str, actor: Actor) -> Verdict:
        """Judge a model for `actor`, where they are, with the roles that they have."""
        return Allowance(self, actor).verdict(model_id)

    def lists_for(self, actor: Actor) -> tuple[tuple[_List, ...], ...]:
        """Return what a model has to pass: the guild's list, the channel's, those of the roles."""
        there = self._follows.lists
        if not there:
            return ()
        roles = sorted({*actor.role_ids, actor.guild_id})
        places = (
            [(Reach.GUILD, 0)],
            [(Reach.CHANNEL, actor.channel_id)],
            [(Reach.ROLE, role) for role in roles],
        )
        found = (tuple(there[p] for p in each if p in there) for each in places)
        return tuple(lists for lists in found if lists)

    def known_for(self, lists: tuple[tuple[_List, ...], ...], actor: Actor) -> dict[str, bool]:
        """Return what was judged before for everybody for whom these lists hold, by model."""
        key = (tuple(id(each) for group in lists for each in group), actor.age_restricted)
        known = self._follows.known
        if key not in known and len(known) >= _MOST_KNOWN:
            known.clear()
        return known.setdefault(key, {})

    def allows_channel(self, channel_id: int) -> bool:
        """Whether pictures may be made in a channel."""
        return not self.channels or channel_id in self.channels


def _judge(lists: Sequence[_List], name: str, *, age_restricted: bool) -> Verdict:
    """Judge by lists that add up: a denial wins; where something is allowed, the rest is not."""
    for each in lists:
        if each.denied.names(name):
            return Verdict(allowed=False, rule=each.denied.rule_on(name))
        if not age_restricted and each.for_adults.names(name):
            return Verdict(allowed=False, rule=each.for_adults.rule_on(name))
    allowing = [each.allowed for each in lists if each.allowed.rules]
    if allowing and not any(patterns.names(name) for patterns in allowing):
        return Verdict(allowed=False, rule=allowing[0].rules[0])
    return _YES


class HasId(Protocol):
    """A model, as far as policies look at it."""

    @property
    def id(self) -> str:
        """Its id in the catalogue."""
        ...


class Allowance:
    """What one person may use in one place; called with a model, it says whether they may."""

    def __init__(self, policy: ModelPolicy, actor: Actor) -> None:
        self.policy = policy
        self.actor = actor
        self._lists = policy.lists_for(actor)
        self._known = policy.known_for(self._lists, actor)

    @property
    def is_limited(self) -> bool:
        """Whether there may be models that it keeps back."""
        return bool(self._lists)

    def __call__(self, model: HasId) -> bool:
        """Whether this model may be used."""
        if not self._lists:
            return True
        allowed = self._known.get(model.id)
        if allowed is None:
            if len(self._known) >= _MOST_VERDICTS:
                self._known.clear()
            allowed = self._known[model.id] = bool(self.verdict(model.id))
        return allowed

    def verdict(self, model_id: str) -> Verdict:
        """Judge a model, and name the rule."""
        name, age_restricted = model_id.casefold(), self.actor.age_restricted
        for lists in self._lists:
            if not (verdict := _judge(lists, name, age_restricted=age_restricted)):
                return verdict
        return _YES

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
        """Whether this could be asked for, as far as its place and its models go."""
        try:
            self.check(request)
        except RequestError:
            return False
        named = request.models or ((request.model,) if request.model else ())
        return all(self.verdict(model) for model in named)


EVERYTHING: Final = Allowance(ModelPolicy(), Actor(0, NO_GUILD, 0))
"""Where nothing is set, or nobody is asked: every model, everywhere."""
