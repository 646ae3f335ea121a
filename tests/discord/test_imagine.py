"""The main job: a person types a prompt, and a picture and its cost come of it."""

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, pictures

SCHNELL = "black-forest-labs/FLUX-1-schnell"


async def test_a_typed_prompt_becomes_a_posted_picture_and_a_recorded_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    ask = await mira.slash(general, "imagine", {"prompt": "a paper boat", "model": SCHNELL})
    message = await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    [charge] = house.imagerouter.charges
    assert request.fields["prompt"] == "a paper boat"
    assert [a.data for a in message.attachments] == [house.imagerouter.answers[0].data]
    assert "$0.0013" in message.text
    [row] = books.charges()
    assert (row["state"], row["actual"]) == ("settled", charge.cost_micros)
