"""The Discord client: loads the cogs, keeps the command list in step, greets new guilds.

Needs no privileged intent and keeps no members or messages in memory. What commands do stands in
`cogs/`; what the services do, in `bot/`.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.services import Services
from bot.storage import Remembered

_log = logging.getLogger(__name__)

PERMISSIONS: Final = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, attach_files=True
)
"""The least that delivery needs once an interaction's token has died."""

WARMING_SECONDS: Final = 5
"""How long the gateway waits for the list of models; without it, that of the last start serves."""


def invite_link(application_id: int) -> str:
    """The link with which an admin adds the bot to a guild."""
    return discord.utils.oauth_url(
        application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )


class ImageBot(commands.AutoShardedBot):
    """The bot. `services` is the whole graph below it, ready to use."""

    def __init__(
        self,
        services: Services,
        *,
        cogs: Sequence[str],
        tree_cls: type[app_commands.CommandTree["ImageBot"]],
        dynamic_items: Sequence[type[discord.ui.DynamicItem[Any]]],
        guild_ready_timeout: float = 2.0,
    ) -> None:
        """`guild_ready_timeout`: seconds without a new guild after which all are known."""
        settings = services.settings
        super().__init__(
            command_prefix=(),
            help_command=None,
            tree_cls=tree_cls,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=guild_ready_timeout,
            shard_count=settings.shard_count,
            # None is its own default, which its annotation does not know.
            shard_ids=list(settings.shard_ids) or None,  # type: ignore[arg-type]
        )
        self.services = services
        self.connected = asyncio.Event()
        """Set once every guild is known."""
        self.warming: asyncio.Task[None] | None = None
        """What the first command needs, such as the list of models; the gateway waits for it."""
        self._cogs_to_load = tuple(cogs)
        self._dynamic_items = tuple(dynamic_items)

    async def setup_hook(self) -> None:
        """Load everything before the gateway opens, so that no click arrives too early."""
        self.services.alerts.operators = self._operators()
        for name in self._cogs_to_load:
            await self.load_extension(name)
        self._keep_to_installs()
        self.add_dynamic_items(*self._dynamic_items)
        try:
            await self.sync_commands()
        except discord.HTTPException as error:
            # The commands of the last start still work; the next start tries again.
            _log.error("The commands could not be synced: %s", error)
        if self.warming is not None:
            await asyncio.wait({self.warming}, timeout=WARMING_SECONDS)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Tell the cogs what happened: a submitted form as `form_submitted`, too.

        Listeners of every interaction would cost each command and each click a task of theirs.
        """
        super().dispatch(event_name, *args, **kwargs)
        if event_name == "interaction" and args[0].type is discord.InteractionType.modal_submit:
            super().dispatch("form_submitted", args[0])

    async def close(self) -> None:
        """Disconnect for good; the commands stay where they are.

        discord.py would take each of them out first, in one stretch that holds the event loop for
        more than 5 ms while others still wait for their last words.
        """
        await discord.AutoShardedClient.close(self)

    async def on_ready(self) -> None:
        """Let what waits for Discord begin; called again after reconnections."""
        self.connected.set()

    def is_connected(self) -> bool:
        """Whether every shard is connected just now; `is_ready` stays true through an outage."""
        return self.is_ready() and not any(shard.is_closed() for shard in self.shards.values())

    def _keep_to_installs(self) -> None:
        """Offer commands to people's accounts only if the application's settings allow that."""
        if self.application is not None and self.application.user_integration_config is not None:
            return
        for command in self.tree.get_commands():
            if command.allowed_installs is not None:  # an object of its own: copies share theirs
                command.allowed_installs = app_commands.AppInstallationType(guild=True, user=False)

    def _operators(self) -> tuple[int, ...]:
        """OPERATOR_IDS, else the application's owner, or its team's members."""
        if self.services.settings.operator_ids:
            return self.services.settings.operator_ids
        application = self.application
        if application is None:
            return ()
        if application.team is not None:
            return tuple(
                member.id
                for member in application.team.members
                if member.membership_state is discord.TeamMembershipState.accepted
            )
        return (application.owner.id,)

    async def sync_commands(self) -> bool:
        """Send the command list to Discord if it changed; True when it was sent.

        Discord counts updates, so an unchanged list is not sent. What was sent last is kept with
        the ids that Discord gave, so that commands cleared elsewhere are noticed.
        """
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        registered = [command.id for command in await self.tree.fetch_commands()]
        key = f"commands:{self.application_id}"
        remembered = Remembered(self.services.database, clock=self.services.clock)
        if await remembered.get(key) == _state(digest, registered):
            _log.info("The %d commands are as Discord has them", len(payload))
            return False
        synced = [command.id for command in await self.tree.sync()]
        await remembered.set(key, _state(digest, synced))
        _log.info("Sent %d commands to Discord", len(synced))
        return True


def _state(digest: str, ids: list[int]) -> str:
    return f"{digest}:{','.join(str(number) for number in sorted(ids))}"
