"""Sends a report: as files for one person, or as a message for everybody in the channel."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

import discord

from bot.cards import CardRefused, RouteBusy, RouteClosed, UploadTooLarge
from bot.errors import BotError
from bot.exports import LEAST_LIMIT, Format
from bot.report_files import MOST_CHARGES, StillBusy, TooManyCharges
from bot.reports import Report
from bot.requests import ReplyRoute
from bot.storage import NOBODY, Group, Part
from cogs.ui import access, errors, intake, report_text
from cogs.ui.answers import REFUSED, Illustrated, boxed
from cogs.ui.intake import Interaction, services_of
from cogs.ui.network import NETWORK_FAULTS, translated
from cogs.ui.report_query import query_of
from cogs.ui.reported import Reported, needs_of, read, read_illustrated

_log = logging.getLogger(__name__)

_MOST_FILES: Final = 10
_MOST_REQUEST: Final = 24 << 20
"""Bytes of files in one request: Discord takes about 25 MiB, however high a guild's limit is."""
_TOO_MANY: Final = (
    f"### Too much to download\nThis period has more than {MOST_CHARGES:,} charges. Choose a "
    "shorter one; the operator gets all of them with `python -m bot report --by charge`."
)
_BUSY: Final = "### Others come first\nOther reports are being written just now. Try again soon."
_NOT_TAKEN: Final = "### Not sent\nDiscord did not take the files just now. Try again."
_NO_ROOM: Final = (
    "### No room\nThe bot can't write files just now. Its operator finds why in the log."
)


async def download(interaction: Interaction, state: str, form: Format) -> None:
    """Send the table and every charge as files, for whoever clicks alone."""
    services = services_of(interaction)
    with services.generation.taking():
        reply = await intake.defer(interaction, private=True)
        if reply is None:
            return
        try:
            refused = await _download(interaction, state, form, reply)
        except BotError as error:
            why = errors.explain(error)
            refused = f"### {why.title}\n{why.body}"
        if refused is not None:
            await _tell(interaction, refused)


async def _download(
    interaction: Interaction, state: str, form: Format, reply: ReplyRoute
) -> str | None:
    """Send them, or return why not."""
    if (told := await access.refusal(interaction, needs_of(state))) is not None:
        return told
    made = await read(interaction, query_of(state))
    most = max(LEAST_LIMIT, min(interaction.filesize_limit, _MOST_REQUEST))
    files = services_of(interaction).report_files
    try:
        async with files.written(
            made, form, most_bytes=most, name_of=lambda part: _known(interaction, made, part)
        ) as paths:
            await _send(interaction, made, paths, reply)
    except TooManyCharges:
        return _TOO_MANY
    except StillBusy:
        return _BUSY
    except OSError:
        _log.exception("A report could not be written to disk")
        return _NO_ROOM
    except (RouteBusy, RouteClosed, UploadTooLarge, CardRefused) as error:
        _log.warning("The files of a report were not taken: %r", error)
        return _NOT_TAKEN
    return None


def _known(interaction: Interaction, made: Report, part: Part) -> str | None:
    """Name a part as far as the bot knows the name without asking anybody."""
    guild = interaction.guild
    if guild is None or guild.id != made.guild_id or part.key == NOBODY:
        return None
    ident = part.key if isinstance(part.key, int) else 0
    named: discord.Member | discord.Role | discord.abc.GuildChannel | discord.Thread | None = None
    match made.group:
        case Group.MEMBER:
            named = guild.get_member(ident)
        case Group.ROLE:
            named = guild.get_role(ident)
        case Group.CHANNEL:
            named = guild.get_channel_or_thread(ident)
        case _:
            return str(part.key)
    if isinstance(named, discord.Member):
        return named.display_name
    return None if named is None else named.name


async def _send(
    interaction: Interaction, made: Report, paths: Sequence[Path], reply: ReplyRoute
) -> None:
    """Send the files, in as many messages as they need.

    Raises:
        RouteBusy, RouteClosed, UploadTooLarge, CardRefused: Discord does not take them.
    """
    told = f"{report_text.title(made)}: the table, and every charge. Times are UTC."
    if any(path.suffix == ".zip" for path in paths):
        told += " What is too large for one file is cut into archives."
    for number, batch in enumerate(batched([(path, path.stat().st_size) for path in paths])):
        send = partial(_send_some, interaction, batch, told if number == 0 else None)
        await services_of(interaction).delivery.patiently(send, reply)


async def _send_some(interaction: Interaction, batch: Sequence[Path], told: str | None) -> None:
    """Send what one message takes; with `told` in the answer itself, else after it."""
    with ExitStack() as stack:
        files = [stack.enter_context(closing(discord.File(path))) for path in batch]
        async with translated():
            if told is not None:
                await interaction.edit_original_response(content=told, attachments=files)
            else:
                await interaction.followup.send(files=files, ephemeral=True)


def batched(sized: Iterable[tuple[Path, int]]) -> Iterator[list[Path]]:
    """Put files together as far as one message takes them, in their order."""
    batch, size = list[Path](), 0
    for path, its_size in sized:
        if batch and (len(batch) == _MOST_FILES or size + its_size > _MOST_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += its_size
    if batch:
        yield batch


async def post(interaction: Interaction, state: str) -> None:
    """Post the first page for everybody in the channel, without anything to click."""
    services = services_of(interaction)
    with services.generation.taking():
        try:
            await interaction.response.defer()
        except (discord.HTTPException, *NETWORK_FAULTS) as error:
            _log.warning("Click %d could not be acknowledged: %r", interaction.id, error)
            return
        try:
            refused = await access.refusal(interaction, needs_of(state))
            if refused is None:
                posted = _posted(
                    await read_illustrated(interaction, query_of(state)), interaction.user.id
                )
                await interaction.followup.send(
                    view=posted.shown,
                    files=posted.files(),
                    allowed_mentions=discord.AllowedMentions.none(),
                )
                return
        except BotError as error:
            why = errors.explain(error)
            refused = f"### {why.title}\n{why.body}"
        await interaction.followup.send(view=boxed(refused, colour=REFUSED), ephemeral=True)


def _posted(reported: Reported, by: int) -> Illustrated:
    parts = reported.parts()
    if rest := report_text.more(reported.made, shown=report_text.PAGE):
        parts.append(rest)
    return Illustrated(boxed(*parts, f"-# Posted by <@{by}>"), reported.pictures())


async def _tell(interaction: Interaction, told: str) -> None:
    with suppress(discord.HTTPException, *NETWORK_FAULTS):
        await interaction.edit_original_response(view=boxed(told, colour=REFUSED))
