"""What people type and what they read, in one call each: for tests and scripts about commands."""

from sandbox.discord import Channel, Message, Person
from sandbox.house import House, explanation, pictures


async def answered(person: Person, channel: Channel, command: str, /, **options: object) -> Message:
    """Use a command, and return its answer, which must be for the person's eyes only."""
    message = await (await person.slash(channel, command, options)).answer()
    if message.ephemeral_to != person.user.id:
        raise AssertionError(f"the answer to /{command} is public: {message.text!r}")
    return message


async def told(person: Person, channel: Channel, command: str, /, **options: object) -> str:
    """Use a command, and return the words of its private answer."""
    return (await answered(person, channel, command, **options)).text


async def make(person: Person, channel: Channel, model: str) -> Message:
    """Make a picture."""
    ask = await person.slash(channel, "imagine", {"prompt": "a gull", "model": model})
    return await pictures(person, channel, ask)


async def refused(person: Person, channel: Channel, model: str, **options: object) -> Message:
    """Ask for a picture that is not made, and return the private words on it."""
    asked = {"prompt": "a gull", "model": model, **options}
    return await explanation(channel, await person.slash(channel, "imagine", asked))


def mail(house: House, person: Person) -> Channel:
    """A person's direct messages with the bot."""
    return house.discord.world.direct_channel(person.user)
