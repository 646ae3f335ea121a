"""Start a job with what a person said, and where they said nothing, with what they have set.

Whether the answer is private has to be known before anything is awaited, so that comes from memory.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from bot.requests import Actor, ImageRequest
from bot.wishes import Wishes
from cogs.ui import intake
from cogs.ui.intake import Interaction, Wanted, governing_guild, services_of


async def take(interaction: Interaction, base: ImageRequest, said: Wishes) -> None:
    """Start a job for whoever caused `interaction`, or explain why not.

    `base` is what no wish is about: the command, its prompt, its pictures.
    """

    async def nothing_more(request: ImageRequest) -> Wanted:
        return Wanted(request)

    await take_found(interaction, base, said, find=nothing_more)


async def take_found(
    interaction: Interaction,
    base: ImageRequest,
    said: Wishes,
    *,
    find: Callable[[ImageRequest], Awaitable[Wanted]],
) -> None:
    """Like `take`, where more has to be found out for the request once it was acknowledged."""
    asked = request_of(interaction, base, said)

    async def wished(actor: Actor) -> Wanted:
        preferences = services_of(interaction).preferences
        return await find(await preferences.complete(actor, asked, said))

    await intake.take_found(interaction, wished, asked=asked)


def request_of(interaction: Interaction, base: ImageRequest, said: Wishes) -> ImageRequest:
    """What was said, with the privacy that holds; from memory."""
    private = said.private
    if private is None:
        preferences = services_of(interaction).preferences
        private = preferences.private(interaction.user.id, governing_guild(interaction))
    return replace(said.fill(base), model=said.model, private=private)
