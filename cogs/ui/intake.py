"""From an interaction to plain data, and into the use case. Discord stops here.

Every way to start a job (command, button, modal) defers first and then goes through `take_found`.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, cast

import discord
from msgspec import Struct
from msgspec.structs import replace

from bot.client import ImageBot
from bot.errors import BotError, NotKept, NotYours, PressedAlready
from bot.money import Micros
from bot.offers import KeptOffer
from bot.requests import NO_GUILD, Actor, ImageRequest, ReplyRoute, Source
from bot.services import Services
from bot.storage import DuplicateJob, Job
from cogs.ui.network import NETWORK_FAULTS

_log = logging.getLogger(__name__)

TOKEN_MS: Final = 14 * 60_000
"""How long an interaction's token is used: Discord's 15 minutes less one of margin."""

_ALREADY_ACKNOWLEDGED: Final = 40060

Interaction = discord.Interaction[Any]

_NOTHING: Final = ImageRequest(command="", prompt="")
"""What a refusal is told of when the stored request can't be had."""


def services_of(interaction: Interaction) -> Services:
    """The services of the bot that got this interaction."""
    return cast("ImageBot", interaction.client).services


def actor_of(interaction: Interaction) -> Actor:
    """Who asks, and where it counts.

    In a guild that does not have the bot, that is outside all guilds, and in no channel of theirs.
    """
    user = interaction.user
    guild_id = governing_guild(interaction)
    in_guild = guild_id != NO_GUILD
    roles = user.roles if in_guild and isinstance(user, discord.Member) else []
    return Actor(
        user_id=user.id,
        guild_id=guild_id,
        channel_id=limited_channel(interaction) if in_guild or not interaction.guild_id else 0,
        role_ids=tuple(role.id for role in roles),
        is_operator=user.id in services_of(interaction).alerts.operators,
        age_restricted=in_guild and is_age_restricted(interaction.channel),
    )


def governing_guild(interaction: Interaction) -> int:
    """The guild whose rules bind: the one it happens in, if that has the bot.

    However a person came by the command: who has the bot in their account would else escape the
    guild's limits, blocks and pauses. `NO_GUILD` in direct messages, in groups, and in guilds to
    which a person only brought the bot along: there it counts for that person's own allowance.
    """
    guild_id = interaction.guild_id
    if guild_id is None:
        return NO_GUILD
    # Either is proof enough: a guild may have the commands alone, and a button on what was brought
    # along before the bot came may know of no installation but its person's.
    is_member = interaction.client.get_guild(guild_id) is not None
    return guild_id if is_member or interaction.is_guild_integration() else NO_GUILD


def limited_channel(interaction: Interaction) -> int:
    """The channel whose limits apply: a thread is part of its channel, or it would be a way out."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return interaction.channel_id or 0


def is_age_restricted(channel: object) -> bool:
    """Whether Discord lets only adults into a channel; a thread is as its channel is."""
    if isinstance(channel, discord.Thread):
        # Without its channel in memory nobody knows, so it is treated as open to all.
        return channel.parent is not None and channel.parent.is_nsfw()
    return bool(getattr(channel, "nsfw", False))


async def defer(interaction: Interaction, *, private: bool) -> ReplyRoute | None:
    """Acknowledge before anything else is awaited; None when Discord did not take it."""
    received_ms = services_of(interaction).clock.now_ms()
    try:
        message_id = await _acknowledge(interaction, private=private)
    except (discord.HTTPException, *NETWORK_FAULTS) as error:
        # Too late: nothing was held, and the client shows the failure itself.
        _log.warning("Interaction %d could not be acknowledged: %r", interaction.id, error)
        return None
    return ReplyRoute(
        application_id=interaction.application_id,
        token=interaction.token,
        expires_at_ms=received_ms + TOKEN_MS,
        channel_id=interaction.channel_id or 0,
        message_id=message_id,
        upload_limit=interaction.filesize_limit,
    )


async def _acknowledge(interaction: Interaction, *, private: bool) -> int:
    """Defer, and return the id of the placeholder.

    Discord may take an acknowledgement and lose its own answer: then a second one is refused as
    doubled, and the placeholder would stay for ever if that were taken for a failure. Where really
    another process was faster, the ledger refuses the second job.
    """
    answer = None
    try:
        try:
            answer = await interaction.response.defer(thinking=True, ephemeral=private)
        except NETWORK_FAULTS as error:
            _log.info("Acknowledging interaction %d again: %r", interaction.id, error)
            answer = await interaction.response.defer(thinking=True, ephemeral=private)
    except discord.HTTPException as error:
        if error.code != _ALREADY_ACKNOWLEDGED:
            raise
    if answer is not None and answer.message_id is not None:
        return answer.message_id
    return (await interaction.original_response()).id


class Wanted(Struct, frozen=True):
    """A request, and the job that it repeats if any."""

    request: ImageRequest
    parent_id: int | None = None
    once: str | None = None
    """Names what may run a single time, however often its button is pressed."""
    agreed: Micros = 0
    """What the person has said that it may cost."""


async def take(
    interaction: Interaction, request: ImageRequest, *, parent_id: int | None = None
) -> None:
    """Start a job for whoever caused `interaction`, or explain why not."""

    async def known(_: Actor) -> Wanted:
        return Wanted(request, parent_id)

    await take_found(interaction, known, asked=request)


async def parent_of(
    interaction: Interaction, job_id: int, message: discord.Message | None
) -> int | None:
    """Return `job_id` if `message` shows that job's result: an id in a button proves nothing."""
    job = await services_of(interaction).jobs.get(job_id)
    return job.id if job is not None and shows(message, job) else None


async def again(interaction: Interaction, job_id: int) -> None:
    """Run the request of a stored, public job as whoever clicked."""

    async def stored(actor: Actor) -> Wanted:
        job = await services_of(interaction).jobs.get(job_id)
        if job is None or job.prompt is None or job.private or not shows(interaction.message, job):
            raise NotKept
        request = replace(job.request, prompt=job.prompt, model=job.model)
        if job.actor.user_id != actor.user_id:
            request = replace(request, images=_borrowed(request.images))
        return Wanted(request, job.id)

    await take_found(interaction, stored, asked=_NOTHING)


def _borrowed(images: Sequence[Source]) -> tuple[Source, ...]:
    """Pictures of somebody else's job: what no message shows is not shown to others now either."""
    return tuple(each if each.message_id else replace(each, borrowed=True) for each in images)


async def take_offer(interaction: Interaction, offer_id: int, index: int, *, private: bool) -> None:
    """Run what was offered, for the person to whom it was offered."""

    async def offered(_: Actor) -> Wanted:
        offer, request = await _offered(interaction, offer_id, index, private=private)
        return Wanted(request, offer.parent_id, once=f"offer:{offer_id}:{index}")

    await take_found(interaction, offered, asked=replace(_NOTHING, private=private))


async def confirm(interaction: Interaction, offer_id: int, *, private: bool) -> None:
    """Run what the person was asked about before it could cost too much."""

    async def confirmed(_: Actor) -> Wanted:
        offer, request = await _offered(interaction, offer_id, 0, private=private)
        return Wanted(request, offer.parent_id, once=f"confirm:{offer_id}", agreed=offer.agreed)

    await take_found(interaction, confirmed, asked=replace(_NOTHING, private=private))


async def cancel(interaction: Interaction) -> None:
    """Take a question away that was answered with no. Only its person can see it."""
    await interaction.response.defer()
    with contextlib.suppress(discord.NotFound):
        await interaction.delete_original_response()


async def _offered(
    interaction: Interaction, offer_id: int, index: int, *, private: bool
) -> tuple[KeptOffer, ImageRequest]:
    """Find what was offered to whoever clicks."""
    offer = await services_of(interaction).offers.get(offer_id)
    if offer is None or index >= len(offer.requests):
        raise NotKept
    request = offer.requests[index]
    if offer.user_id != interaction.user.id or request.private is not private:
        raise NotYours
    return offer, request


async def take_found(
    interaction: Interaction, find: Callable[[Actor], Awaitable[Wanted]], *, asked: ImageRequest
) -> None:
    """Defer, find out what is wanted, and start it. `asked` is what a refusal is told of."""
    services = services_of(interaction)
    generation, teller = services.generation, services.teller
    with generation.taking():
        reply = await defer(interaction, private=asked.private)
        if reply is None:
            return
        actor = actor_of(interaction)
        parent_id = None
        try:
            wanted = await find(actor)
            asked, parent_id = wanted.request, wanted.parent_id
            await generation.submit(
                actor,
                asked,
                reply,
                idem=wanted.once or str(interaction.id),
                parent_id=parent_id,
                agreed=wanted.agreed,
            )
        except DuplicateJob as error:
            _log.warning("Job %d was asked for twice; it runs once", error.job_id)
            if not await _answers_here(interaction, error.job_id, reply):
                await teller.refuse(actor, asked, reply, PressedAlready())
        except BotError as error:
            await teller.refuse(actor, asked, reply, error, parent_id=parent_id)
        except Exception:  # noqa: BLE001 - whatever it is, the person is told
            _log.exception("A fault before the job of interaction %d was held", interaction.id)
            await teller.refuse(actor, asked, reply, None)


async def _answers_here(interaction: Interaction, job_id: int, reply: ReplyRoute) -> bool:
    """Whether a job's result will come into this very message, so that it must be left alone."""
    job = await services_of(interaction).jobs.get(job_id)
    if job is None or job.reply is None:
        return True
    return job.reply.message_id == reply.message_id


async def delete(interaction: Interaction, job_id: int) -> None:
    """Delete a result: its person may, and so may those who may delete any message there."""
    await interaction.response.defer()
    jobs = services_of(interaction).jobs
    job = await jobs.get(job_id)
    if job is not None and not shows(interaction.message, job):
        job = None
    own = job is not None and job.actor.user_id == interaction.user.id
    if not own and not interaction.permissions.manage_messages:
        await interaction.followup.send(
            "Only the person who made this, or a moderator, can delete it.", ephemeral=True
        )
        return
    with contextlib.suppress(discord.NotFound):  # a double click, or a moderator was faster
        await interaction.delete_original_response()
    if job is not None:
        await jobs.unlink(job.id)


def shows(message: discord.Message | None, job: Job) -> bool:
    """Whether the message that was clicked is this job's: an id alone proves nothing."""
    if message is None:
        return False
    original = job.reply.message_id if job.reply is not None else None
    return message.id in {job.message_id, original}


async def guarded(interaction: Interaction, action: Coroutine[Any, Any, None]) -> None:
    """Run a button's action; whatever it raises becomes an answer and a line in the log."""
    try:
        await action
    except Exception:  # noqa: BLE001 - discord.py would only log it, too
        _log.exception("A fault in a click")
        await tell_fault(interaction, "Something broke, and it is our fault. Try again.")


async def tell_fault(interaction: Interaction, text: str) -> None:
    """Say `text` to the person alone; that it fails is only logged."""
    if interaction.type is discord.InteractionType.autocomplete:
        return
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, *NETWORK_FAULTS) as error:
        _log.warning("A fault could not be told: %r", error)
