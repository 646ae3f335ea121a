"""Comparisons under a guild's rules, with what people have set, and from a model's own page."""

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.talk import answered, told

MINI, LARGE, VECTOR = "papercut/fold-mini", "papercut/fold-large", "papercut/vector-fold"
AURORA = "lumenfield/aurora-2"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def compare(person: Person, channel: Channel, *models: str, **options: object) -> Ask:
    """Ask for a heron by each of `models`."""
    named = {f"model{number}": model for number, model in enumerate(models, 1)}
    return await person.slash(channel, "compare", {"prompt": "a heron", **named, **options})


def labels(message: Message) -> list[str]:
    return [button.label or "" for button in message.buttons]


async def test_one_denied_model_refuses_the_whole_and_others_are_offered_in_its_place(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await told(ada, general, "config models", action="deny", models=LARGE)
    why = await explanation(general, await compare(mira, general, MINI, LARGE))

    assert "You can't use this model here" in why.text
    assert books.charges() == []
    first, *_ = labels(why)
    assert first.startswith("Use ")
    assert first != f"Use {LARGE}"
    click = await mira.click(why, button(why, first))
    assert len((await pictures(mira, general, click)).attachments) == 2
    assert [row["model"] for row in books.charges()] == [MINI, first.removeprefix("Use ")]

    typed = {"prompt": "a heron", "model1": MINI, "model2": "fold"}
    choices = await mira.autocomplete(general, "compare", typed, "model2")
    assert VECTOR in {choice.value for choice in choices}
    assert not {LARGE, MINI} & {choice.value for choice in choices}


async def test_again_asks_for_no_model_that_was_denied_meanwhile(
    ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    message = await pictures(mira, general, await compare(mira, general, MINI, LARGE))
    await told(ada, general, "config models", action="deny", models=LARGE)
    click = await mira.click(message, button(message, "Again"))
    assert "You can't use this model here" in (await explanation(general, click)).text
    assert len(books.charges()) == 2


async def test_what_a_person_has_set_does_not_choose_among_those_compared(
    house: House, mira: Person, general: Channel
) -> None:
    page = await answered(mira, general, "models", name=AURORA)
    await (await mira.click(page, button(page, "Use as my default"))).answer()
    message = await pictures(mira, general, await compare(mira, general, MINI, AURORA))
    sent = {str(request.fields["model"]) for request in house.imagerouter.requests}
    assert sent == {MINI, AURORA}
    assert "/settings" not in message.text


async def test_a_models_page_opens_a_form_that_compares_it(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    page = await answered(mira, general, "models", name=LARGE)
    modal = await (await mira.click(page, button(page, "Compare"))).form()
    assert modal.title == "Compare fold-large"
    await house.restart_bot()
    ask = await mira.submit(modal, {"prompt": "a quiet bay", "others": [MINI, AURORA]})
    message = await pictures(mira, general, ask)

    assert message in theo.messages(general)
    assert [row["model"] for row in books.charges()] == [LARGE, MINI, AURORA]
    assert {r.fields["prompt"] for r in house.imagerouter.requests} == {"a quiet bay"}


async def test_a_comparison_is_no_example_of_one_of_its_models(
    mira: Person, general: Channel
) -> None:
    await pictures(mira, general, await compare(mira, general, LARGE, MINI))
    page = await answered(mira, general, "models", name=LARGE)
    assert "discord.com/channels" not in page.text
