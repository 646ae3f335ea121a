"""`/compare`: one prompt, several models, one message; a price for each, and one hold for all."""

import pytest

from bot.quotas import Window
from bot.storage import Policies, Who
from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter.faults import Fault
from sandbox.talk import told

MINI = "papercut/fold-mini"  # $0.0013
LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
VECTOR = "papercut/vector-fold"  # $0.04
ADMIN = 1

pytestmark = pytest.mark.usefixtures("nobody_waits")


@pytest.fixture
def policies(house: House) -> Policies:
    """The rules, as an admin's commands would change them."""
    return house.bot.services.policies


async def compare(person: Person, channel: Channel, *models: str, **options: object) -> Ask:
    """Ask for a heron by each of `models`."""
    named = {f"model{number}": model for number, model in enumerate(models, 1)}
    return await person.slash(channel, "compare", {"prompt": "a heron", **named, **options})


def labels(message: Message) -> list[str]:
    return [button.label or "" for button in message.buttons]


def line_of(message: Message, model: str) -> str:
    """What the message says of a model."""
    name = f"**{model.replace('-', chr(92) + '-')}**"
    [line] = [line for line in message.text.splitlines() if name in line]
    return line


async def test_every_model_shows_its_picture_seconds_and_price_in_one_message(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await pictures(mira, general, await compare(mira, general, MINI, LARGE, VECTOR))

    assert len(message.attachments) == 3
    sent = {request.fields["model"]: request.fields for request in house.imagerouter.requests}
    assert set(sent) == {MINI, LARGE, VECTOR}
    assert {fields["prompt"] for fields in sent.values()} == {"a heron"}
    for number, (model, price) in enumerate(
        {MINI: "$0.0013", LARGE: "$0.04", VECTOR: "$0.04"}.items(), 1
    ):
        line = line_of(message, model)
        assert line.startswith(f"`{number}` ")
        assert f"**{price}**" in line
        assert " s · " in line
        description = message.attachments[number - 1].description
        assert description == f"{model}: a heron"
    assert "Together **$0.0813**" in message.text
    rows = books.charges()
    assert [(row["model"], row["held"], row["actual"]) for row in rows] == [
        (MINI, 1_300, 1_300),
        (LARGE, 80_000, 40_000),
        (VECTOR, 40_000, 40_000),
    ]
    assert {row["command"] for row in rows} == {"compare"}
    days = books.rows("SELECT name, spent FROM usage_day WHERE kind = 'model' ORDER BY name")
    assert [(row["name"], row["spent"]) for row in days] == sorted(
        [(MINI, 1_300), (LARGE, 40_000), (VECTOR, 40_000)]
    )


async def test_while_they_work_all_of_them_are_named(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await compare(mira, general, MINI, LARGE)
    await gate.reached()
    working = await mira.wait_for(general, lambda m: "work on a picture each" in m.text)
    assert "fold\\-mini** and **" in working.text
    gate.open()
    await pictures(mira, general, ask)


async def test_one_that_fails_says_why_and_costs_nothing_and_can_be_tried_again(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    message = await pictures(mira, general, await compare(mira, general, MINI, LARGE, VECTOR))

    assert len(message.attachments) == 2
    [failed] = [row for row in books.charges() if row["state"] == "released"]
    line = line_of(message, str(failed["model"]))
    assert line.startswith("`-` ")
    assert "**It cost nothing.** The model failed" in line
    held = "SELECT SUM(held) AS held FROM bucket WHERE scope = 'member' AND period = 'day'"
    assert books.rows(held) == [{"held": 0}]

    click = await mira.click(message, button(message, "Try the missing one again"))
    again = await pictures(mira, general, click)
    assert len(again.attachments) == 1
    assert house.imagerouter.requests[-1].fields["model"] == failed["model"]
    assert sum(row["state"] == "settled" for row in books.charges()) == 3


async def test_one_whose_outcome_is_unknown_counts_at_most_its_own_ceiling(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.add(Fault(end_early=True))
    message = await pictures(mira, general, await compare(mira, general, VECTOR, LARGE))

    assert len(message.attachments) == 1
    [lost] = [row for row in books.charges() if row["state"] == "unknown"]
    ceiling = {VECTOR: "$0.04", LARGE: "$0.08"}[str(lost["model"])]
    line = line_of(message, str(lost["model"]))
    assert f"**Up to {ceiling} counts against you.** Nobody knows how this ended" in line


async def test_when_nothing_came_each_model_tells_why(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.error("The provider is on fire", times=2)
    why = await explanation(general, await compare(mira, general, MINI, LARGE))

    assert "None of the models brought a picture" in why.text
    assert "The model failed" in line_of(why, MINI)
    assert "The model failed" in line_of(why, LARGE)
    assert "This cost you nothing." in why.text
    assert theo.messages(general) == []
    click = await mira.click(why, button(why, "Try again"))
    assert len((await pictures(mira, general, click)).attachments) == 2
    assert [row["state"] for row in books.charges()].count("settled") == 2


async def test_a_long_prompt_stays_at_hand_when_four_models_have_much_to_say(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire. " * 40, times=4)
    prompt = ("a heron " * 345).strip()
    models = (MINI, LARGE, VECTOR, "lumenfield/plate-scan")
    why = await explanation(general, await compare(mira, general, *models, prompt=prompt))

    assert why.text.count("The model failed") == 4
    assert [file.data.decode() for file in why.attachments] == [prompt]


async def test_what_does_not_fit_together_holds_nothing_and_is_offered_without_the_dearest(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.set_limit(Who.each_member(house.guild().id), Window.DAY, 100_000, by=ADMIN)
    why = await explanation(general, await compare(mira, general, MINI, LARGE, VECTOR))

    assert "your own limit of $0.10 a day" in why.text
    assert "at most $0.1213" in why.text
    assert "This cost you nothing." in why.text
    assert house.imagerouter.requests == []
    assert books.charges() == []
    assert labels(why) == [f"Without {LARGE}"]
    click = await mira.click(why, button(why, f"Without {LARGE}"))
    message = await pictures(mira, general, click)
    assert [row["model"] for row in books.charges()] == [MINI, VECTOR]
    assert len(message.attachments) == 2


async def test_a_price_that_is_not_allowed_refuses_the_whole_and_offers_the_rest(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.set_limit(Who.guild(house.guild().id), Window.IMAGE, 50_000, by=ADMIN)
    why = await explanation(general, await compare(mira, general, MINI, LARGE))

    assert "may cost $0.08" in why.text
    assert books.charges() == []
    assert labels(why) == [f"Only {MINI}"]


async def test_a_dear_comparison_asks_before_it_holds_and_runs_once(
    house: House, mira: Person, ada: Person, general: Channel, books: Books
) -> None:
    await told(ada, general, "config confirm-above", amount="0.10")
    question = await explanation(general, await compare(mira, general, LARGE, VECTOR))
    assert books.charges() == []
    confirm = button(question, "Confirm")
    message = await pictures(mira, general, await mira.click(question, confirm))
    assert len(message.attachments) == 2
    assert [row["model"] for row in books.charges()] == [LARGE, VECTOR]
    await pictures(mira, general, await compare(mira, general, MINI, LARGE))


async def test_again_compares_once_more_and_delete_takes_the_message_away(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    message = await pictures(mira, general, await compare(mira, general, MINI, LARGE))
    await house.restart_bot()
    again = await pictures(
        theo, general, await theo.click(message, button(message, "Again")), timeout=20
    )

    assert "Together **$0.0413**" in again.text
    assert [row["model"] for row in books.charges()] == [MINI, LARGE] * 2
    assert [row["user_id"] for row in books.charges()][2:] == [theo.user.id] * 2
    await theo.click(again, button(again, "Delete"))
    await general.signal.until(
        lambda: True if again.deleted else None, timeout=10, complain=lambda: again.text
    )
    assert "Edit" in labels(message)


async def test_a_private_comparison_is_seen_by_its_person_alone(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    ask = await compare(mira, general, MINI, LARGE, private=True)
    message = await pictures(mira, general, ask)

    assert message.ephemeral_to == mira.user.id
    assert theo.messages(general) == []
    assert "Again" not in labels(message)
    assert "You have spent $0.0413 today." in message.text
    assert {r.fields["response_format"] for r in house.imagerouter.requests} == {"b64_ephemeral"}
    assert books.rows("SELECT * FROM prompt") == []
    assert books.rows("SELECT * FROM job_output") == []


@pytest.mark.parametrize("twin", [MINI, MINI.upper()])
async def test_a_model_takes_part_once(
    twin: str, mira: Person, general: Channel, books: Books
) -> None:
    why = await explanation(general, await compare(mira, general, MINI, twin))
    assert "`model2` can't be used like that" in why.text
    assert books.charges() == []


async def test_a_misspelt_model_is_offered_in_its_place(
    mira: Person, general: Channel, books: Books
) -> None:
    why = await explanation(general, await compare(mira, general, "papercut/fold-larg", MINI))
    assert "No such model" in why.text
    assert books.charges() == []
    click = await mira.click(why, button(why, f"Use {LARGE}"))
    await pictures(mira, general, click)
    assert [row["model"] for row in books.charges()] == [LARGE, MINI]


async def test_a_comparison_is_offered_without_a_name_that_is_like_no_other(
    mira: Person, general: Channel, books: Books
) -> None:
    why = await explanation(general, await compare(mira, general, MINI, "nope/nope", LARGE))
    assert "No such model" in why.text
    (offer,) = why.buttons
    await pictures(mira, general, await mira.click(why, offer.custom_id or ""))
    assert [row["model"] for row in books.charges()] == [MINI, LARGE]


async def test_models_that_take_part_already_are_not_suggested(
    mira: Person, general: Channel
) -> None:
    typed = {"prompt": "a heron", "model1": MINI, "model2": "fold"}
    choices = await mira.autocomplete(general, "compare", typed, "model2")
    values = [choice.value for choice in choices]
    assert LARGE in values
    assert MINI not in values


async def test_a_comparison_takes_one_place_in_the_queue(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    asks = [await compare(mira, general, MINI, LARGE) for _ in range(2)]
    await gate.reached()
    asks.append(await compare(mira, general, MINI, VECTOR))
    waiting = await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)
    assert "for 2 pictures. You are next" in waiting.text
    gate.open()
    for ask in asks:
        assert len((await pictures(mira, general, ask)).attachments) == 2


async def test_the_list_of_jobs_names_a_comparison_as_one(mira: Person, general: Channel) -> None:
    await pictures(mira, general, await compare(mira, general, MINI, LARGE, VECTOR))
    text = await told(mira, general, "usage")
    assert "papercut/fold\\-mini and 2 more · $0.0813" in text
