"""What the commands about models and prompts do: lists, channels, private results, blocklist.

Each function makes one change, or shows what is set, and says what that comes to.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import discord

from bot.aside import aside
from bot.blocklist import MOST_PHRASE, checked_phrase
from bot.errors import InvalidOption
from bot.policy import Allowance, Effect, ModelPolicy, ModelRule, Reach, checked_pattern, matches
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from cogs.ui.answers import Changed, Shown, boxed
from cogs.ui.intake import Interaction, is_age_restricted, limited_channel, services_of
from cogs.ui.policy_errors import rule_line, why_not
from cogs.ui.text import plain

Place = discord.abc.GuildChannel

_MOST_TEXT: Final = 3_000
"""Characters of a list, below Discord's 4,000 of a message."""
_MOST_TOLD: Final = 10
"""Lines that were removed and are told one by one."""
_PATTERN_HINT: Final = (
    "a model's name, in which `*` stands for anything: `openai/gpt-image-1`, `openai/*`, `*:free`"
)
_PHRASE_HINT: Final = (
    f"a word or a few, up to {MOST_PHRASE} characters, in which `*` stands for any letters of a "
    "word: `casino`, `free money`, `crypto*`"
)
_HOW: Final = (
    "-# A model has to pass the lists of the server, of the channel, and of the person's roles. "
    "A denial wins; where something is allowed, everything else is not."
)


async def change_models(
    interaction: Interaction,
    effect: Effect | None,
    typed: str | None,
    *,
    role: discord.Role | None,
    channel: Place | None,
) -> Shown:
    """Add a line to a list of models; `effect` None removes it, or all of that place."""
    services, guild_id, by = _context(interaction)
    reach, subject_id = _reach(role, channel)
    if effect is Effect.AGE_RESTRICTED and reach is not Reach.GUILD:
        raise InvalidOption("action", effect.value, "no role and no channel: it is for all of them")
    pattern = None if typed is None and effect is None else _pattern(typed)
    if effect is None:
        before = await _latest(services, guild_id)
        gone = [
            rule
            for rule in before.rules
            if _is_left_over(interaction.guild, rule)
            or (
                ((rule.reach, rule.subject_id) == (reach, subject_id))
                and pattern in {None, rule.pattern}
            )
        ]
        if not gone:
            return boxed("### Models\nThere is no such line.", *_listed(before))
        for rule in gone:
            await services.model_policies.remove_rule(guild_id, rule, by=by)
        told = "removed " + _some(gone)
    else:
        rule = ModelRule(reach, subject_id, effect, pattern or "")
        if not await services.model_policies.add_rule(guild_id, rule, by=by):
            return boxed(f"### Models\nThat is set already: {rule_line(rule)}.")
        told = rule_line(rule)
    allowed = Allowance(await _latest(services, guild_id), _asker(interaction, role, channel))
    lines = [f"### Models\n{_capital(told)}.", await aside(_what_is_left, services, allowed)]
    if pattern is not None and effect is not None and not await aside(_names, services, pattern):
        lines.append("ImageRouter has no model of that name just now.")
    return Changed(boxed("\n".join(lines), _HOW), f"changed who may use which models: {told}.")


async def show_models(interaction: Interaction) -> Shown:
    """Show every line."""
    services, guild_id, _ = _context(interaction)
    return boxed(*_listed(await _latest(services, guild_id)), _HOW)


async def _latest(services: Services, guild_id: int) -> ModelPolicy:
    """What is set now, whichever process did it."""
    services.policing.forget_guild(guild_id)
    return await services.policing.for_guild(guild_id)


def _listed(policy: ModelPolicy) -> list[str]:
    lines = [f"- {rule_line(rule)}" for rule in policy.rules]
    if policy.default_model is not None:
        lines.append(f"- the default is {plain(policy.default_model, most=100)}")
    if not policy.rules:
        lines.insert(0, "Every model may be used by everybody, everywhere.")
    return ["### Models in this server\n" + shortened(lines)]


def _is_left_over(guild: discord.Guild | None, rule: ModelRule) -> bool:
    """Whether a line is for a role or channel that was deleted: nobody can name it any more."""
    if guild is None or rule.reach is Reach.GUILD:
        return False
    if rule.reach is Reach.ROLE:
        return guild.get_role(rule.subject_id) is None
    return guild.get_channel(rule.subject_id) is None


def _some(rules: Sequence[ModelRule]) -> str:
    told = "; ".join(rule_line(rule) for rule in rules[:_MOST_TOLD])
    more = len(rules) - _MOST_TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _pattern(typed: str | None) -> str:
    pattern = None if typed is None else checked_pattern(typed)
    if pattern is None:
        raise InvalidOption("models", typed or "", _PATTERN_HINT)
    return pattern


def _reach(role: discord.Role | None, channel: Place | None) -> tuple[Reach, int]:
    if role is not None and channel is not None:
        raise InvalidOption("role, channel", "", "one at a time; neither is the whole server")
    if role is not None:
        return Reach.ROLE, role.id
    if channel is not None:
        return Reach.CHANNEL, channel.id
    return Reach.GUILD, 0


def _asker(interaction: Interaction, role: discord.Role | None, channel: Place | None) -> Actor:
    """Somebody for whom a change is worked out: with that role if any, in that channel or here."""
    return Actor(
        user_id=0,
        guild_id=interaction.guild_id or NO_GUILD,
        channel_id=limited_channel(interaction) if channel is None else channel.id,
        role_ids=() if role is None else (role.id,),
        age_restricted=is_age_restricted(interaction.channel if channel is None else channel),
    )


def _what_is_left(services: Services, allowed: Allowance) -> str:
    """Count the models that somebody may use; there may be thousands."""
    models = [model for model in services.catalog.models if not model.is_test]
    asker, left = allowed.actor, sum(map(allowed, models))
    whose = f"with <@&{asker.role_ids[0]}>" if asker.role_ids else "without further roles"
    told = f"In <#{asker.channel_id}> somebody {whose} may now use {left} of {len(models)} models."
    return told if left else f"**{told}** Nothing can be made there."


def _names(services: Services, pattern: str) -> bool:
    return any(matches(pattern, model.id) for model in services.catalog.models)


async def change_channel(interaction: Interaction, channel: Place | None, *, on: bool) -> Shown:
    """Put a channel on the list of those in which pictures are made, or take it off."""
    services, guild_id, by = _context(interaction)
    store = services.model_policies
    if channel is None:
        if on:
            return boxed(_channels(await _latest(services, guild_id)))
        changed, note = await store.clear_channels(guild_id, by=by), "everywhere"
    elif on:
        changed, note = await store.add_channel(guild_id, channel.id, by=by), f"<#{channel.id}> too"
    else:
        changed = await store.remove_channel(guild_id, channel.id, by=by)
        note = f"<#{channel.id}> no more"
    told = _channels(await _latest(services, guild_id))
    return Changed(boxed(told), f"changed where pictures are made: {note}." if changed else "")


def _channels(policy: ModelPolicy) -> str:
    if not policy.channels:
        return "### Channels\nPictures are made in every channel."
    named = [f"- <#{channel}>" for channel in sorted(policy.channels)]
    return "### Channels\nPictures are made here, in threads of these too, and nowhere else:\n" + (
        shortened(named)
    )


async def change_private(interaction: Interaction, *, on: bool) -> Shown:
    """Let people ask for private results, or not."""
    services, guild_id, by = _context(interaction)
    changed = await services.model_policies.allow_private(guild_id, allowed=on, by=by)
    services.policing.forget_guild(guild_id)
    if on:
        told = "People may ask for results that only they see."
    else:
        told = "Every result is shown in its channel. Whoever asks for a private one is told so."
    note = f"switched private results {'on' if on else 'off'}." if changed else ""
    return Changed(boxed(f"### Private results\n{told}"), note)


async def change_blocklist(interaction: Interaction, typed: str | None, *, on: bool) -> Shown:
    """Block an entry in prompts, or no more; without one, show what is blocked."""
    services, guild_id, by = _context(interaction)
    if typed is None:
        return boxed(_blocklist(await _latest(services, guild_id)))
    phrase = checked_phrase(typed)
    if phrase is None:
        raise InvalidOption("entry", typed, _PHRASE_HINT)
    store = services.model_policies
    if on:
        changed = await store.add_phrase(guild_id, phrase, by=by)
        told = f"Prompts with `{phrase}` are refused" + ("." if changed else " already.")
    else:
        changed = await store.remove_phrase(guild_id, phrase, by=by)
        told = f"`{phrase}` is not blocked" + (" any more." if changed else ".")
    many = len((await _latest(services, guild_id)).blocked_phrases)
    # The words themselves are for those who manage the server, not for everybody in a channel.
    note = f"changed the prompt blocklist: {_entries(many)}." if changed else ""
    return Changed(boxed(f"### Blocklist\n{told} {_there_are(many)}"), note)


def _blocklist(policy: ModelPolicy) -> str:
    lines = [f"- `{phrase}`" for phrase in policy.blocked_phrases]
    if not lines:
        return (
            "### Blocklist\nThis server blocks nothing in prompts. The operator of the bot may "
            "have a list of their own."
        )
    return "### Blocklist\nPrompts with one of these are refused:\n" + shortened(lines)


def _entries(many: int) -> str:
    return "one entry" if many == 1 else f"{many} entries"


def _there_are(many: int) -> str:
    return "There is one entry now." if many == 1 else f"There are {many} entries now."


async def change_default(interaction: Interaction, typed: str | None) -> Shown:
    """Choose the model that is used where nobody names one."""
    services, guild_id, by = _context(interaction)
    model = None if typed is None else services.catalog.require(typed).id
    before = await services.model_policies.set_default(guild_id, model, by=by)
    policy = await _latest(services, guild_id)
    if model is None:
        told = "This server has no default model of its own: the bot's is used."
    else:
        told = f"Who names no model gets **{plain(model, most=100)}**, where it can do the job."
        verdict = policy.allows(model, _asker(interaction, None, None))
        if verdict.rule is not None:
            told += f" **Not here, though:** {why_not(verdict.rule)}"
    note = "" if before == model else f"set the default model: {model and plain(model)}."
    return Changed(boxed(f"### Default model\n{told}"), note)


def lines_for(allowed: Allowance) -> list[str]:
    """Tell what of a guild's rules on models and prompts concerns one person in one place."""
    policy, actor = allowed.policy, allowed.actor
    roles = {*actor.role_ids, actor.guild_id}
    concerning = [
        rule
        for rule in policy.rules
        if rule.reach is Reach.GUILD
        or (rule.reach is Reach.CHANNEL and rule.subject_id == actor.channel_id)
        or (rule.reach is Reach.ROLE and rule.subject_id in roles)
    ]
    lines = [f"- {rule_line(rule)}" for rule in concerning]
    if not policy.allows_channel(actor.channel_id):
        lines.insert(0, "- **No pictures are made in this channel** (`/config channels`)")
    if policy.default_model is not None:
        lines.append(f"- the default is {plain(policy.default_model, most=100)}")
    if not policy.private_allowed:
        lines.append("- private results are switched off")
    if policy.blocked_phrases:
        lines.append(f"- prompts: {_entries(len(policy.blocked_phrases))} on the blocklist")
    return lines


def shortened(lines: Sequence[str], *, most: int = _MOST_TEXT) -> str:
    """Join as many lines as fit, and say how many more there are."""
    shown: list[str] = []
    for number, line in enumerate(lines):
        if sum(map(len, shown)) + len(shown) + len(line) > most:
            return "\n".join([*shown, f"and {len(lines) - number} more"])
        shown.append(line)
    return "\n".join(shown)


def patterns_like(policy: ModelPolicy, current: str, ids: Iterable[str], *, most: int) -> list[str]:
    """Suggest patterns: lines that are there, then vendors, then the models themselves."""
    typed, ids = current.strip().casefold(), list(ids)
    known = [rule.pattern for rule in policy.rules if typed in rule.pattern]
    vendors = [f"{model.partition('/')[0]}/*".casefold() for model in ids if "/" in model]
    usual = [each for each in ("*:free", "*") if typed in each]
    return list(dict.fromkeys([*known, *usual, *vendors[:8], *map(str.casefold, ids)]))[:most]


def _context(interaction: Interaction) -> tuple[Services, int, int]:
    return services_of(interaction), interaction.guild_id or NO_GUILD, interaction.user.id


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
