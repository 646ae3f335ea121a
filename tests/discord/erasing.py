"""People who have their data erased."""

from sandbox.discord import Channel, Person
from sandbox.house import button
from sandbox.talk import answered


async def erase(person: Person, channel: Channel) -> None:
    question = await answered(person, channel, "privacy delete")
    ask = await person.click(question, button(question, "Erase my data"))
    await ask.answer()
    assert "Your data is erased" in question.text
