"""What ImageRouter refuses: a sentence of ours, to the person alone, at no cost."""

from dataclasses import dataclass
from typing import Final

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter.faults import Faults

LARGE = "papercut/fold-large"
PROVIDER_KEY: Final = "sk-proj-9fJk2LmQ8rTtVwXyZ0123456789abcdef"
PAGE: Final = "<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad</h1></body></html>"

pytestmark = pytest.mark.usefixtures("nobody_waits")


@dataclass(frozen=True, slots=True)
class Failing:
    """One answer of ImageRouter, and the sentence that a person reads."""

    says: str
    message: object = ""
    kind: str = "provider_error"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def order(self, faults: Faults) -> None:
        """Let the next generation fail like this."""
        if self.status == 200:
            faults.error(self.message, kind=self.kind)
        else:
            body = f'{{"error": {{"message": "{self.message}", "type": "{self.kind}"}}}}'
            faults.status(self.status, body, headers=dict(self.headers))


FAILURES = {
    "moderation": Failing("Refused by the provider's rules", "Flagged by content moderation"),
    "provider": Failing("The model failed", "Internal error of the provider"),
    "busy provider": Failing("The model failed", "429: the model is overloaded"),
    "bad key": Failing("Pictures are paused", "Invalid token", "unauthorized", 401),
    "no credits": Failing(
        "Pictures are paused", "Insufficient credits (needs $0.08)", "internal_error"
    ),
    "rate limit": Failing("ImageRouter is very busy", "Too many requests", "rate_limit_error", 429),
    "daily free": Failing(
        "The free pictures of today are used up",
        "Daily limit of 50 free requests reached.",
        "rate_limit_error",
        429,
        (("RateLimit-Reset", "1"),),
    ),
    "free without balance": Failing(
        "Pictures are paused", "Free models need a deposit", "access_denied", 403
    ),
    "unknown model": Failing(
        "ImageRouter does not have this model any more",
        "model 'papercut/fold-large' is not available",
        "invalid_request_error",
        400,
    ),
    "html": Failing("The model failed", PAGE.replace('"', "'")),
    "json in text": Failing("The model failed", '{"error": {"message": "GPU out of memory"}}'),
}


@pytest.fixture(params=list(FAILURES))
def failing(request: pytest.FixtureRequest) -> Failing:
    """Each way in which ImageRouter refuses."""
    return FAILURES[request.param]


async def test_a_failure_is_a_sentence_for_its_person_alone_and_costs_nothing(
    failing: Failing, house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    failing.order(house.imagerouter.faults)
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    told = await explanation(general, ask)

    assert failing.says in told.text
    assert "This cost you nothing." in told.text
    assert "a wren" in told.text
    assert told.ephemeral_to == mira.user.id
    assert theo.messages(general) == []
    assert [row["state"] for row in books.charges()] == ["released"]
    assert house.imagerouter.charges == []


async def test_nobody_else_ever_sees_the_prompt_of_a_failed_job(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("Flagged by content moderation")
    async with house.discord.world.subscribe() as events:
        ask = await mira.slash(general, "imagine", {"prompt": "a private wren", "model": LARGE})
        await explanation(general, ask)

    seen = [events.get_nowait() for _ in range(events.qsize())]
    public = [e.message for e in seen if e.message is not None and e.message.ephemeral_to is None]
    assert public
    assert not any("wren" in message.text for message in public)


async def test_a_failed_model_offers_another_try_and_other_models_of_like_price(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    told = await explanation(general, ask)

    labels = [button.label for button in told.buttons]
    assert labels == ["Try again", "Use driftwood/slow-tide", "Use saltmarsh/triptych"]
    again = await mira.click(told, button(told, "Try again"))
    await pictures(mira, general, again)
    other = await mira.click(told, button(told, "Use driftwood/slow-tide"))
    await pictures(mira, general, other)
    used = [request.fields["model"] for request in house.imagerouter.requests]
    assert used == [LARGE, LARGE, "driftwood/slow-tide"]


async def test_a_model_that_needs_a_picture_is_not_offered_for_words(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error("The provider is on fire")
    # Next to this one in price is an upscaler.
    ask = await mira.slash(
        general, "imagine", {"prompt": "a wren", "model": "lumenfield/plate-scan"}
    )
    told = await explanation(general, ask)

    assert not any("harborlight" in button.label for button in told.buttons)


async def test_used_up_free_pictures_offer_a_paid_model(
    house: House, mira: Person, general: Channel
) -> None:
    FAILURES["daily free"].order(house.imagerouter.faults)
    options = {"prompt": "a wren", "model": "lumenfield/aurora-2-mini:free"}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert len(house.imagerouter.requests) == 1
    click = await mira.click(told, button(told, "Use orchard/pippin"))
    await pictures(mira, general, click)


async def test_a_rate_limit_with_a_time_is_waited_out(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    house.imagerouter.faults.status(429, "{}", headers={"Retry-After": "1"})
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    await pictures(mira, general, ask)

    assert len(house.imagerouter.requests) == 2
    assert [row["state"] for row in books.charges()] == ["settled"]


async def test_a_long_rate_limit_is_told_with_its_time(
    house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.status(429, "{}", headers={"Retry-After": "600"})
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    told = await explanation(general, ask)

    assert "It asks for a pause. Try again in 600 s." in told.text
    assert [button.label for button in told.buttons] == ["Try again"]


async def test_an_imagerouter_that_is_not_there_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await house.lose_imagerouter()
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    told = await explanation(general, ask, timeout=20)

    assert "ImageRouter can't be reached" in told.text
    assert "This cost you nothing." in told.text
    assert [button.label for button in told.buttons] == ["Try again"]
    assert [row["state"] for row in books.charges()] == ["released"]


@pytest.mark.parametrize(
    "message",
    [
        f"GET https://api.provider.example/v1/run?key={PROVIDER_KEY} failed",
        f"Authorization: Bearer {PROVIDER_KEY} was refused",
        f'{{"error": "https://u:{PROVIDER_KEY}@provider.example/x"}}',
        PAGE + f"<script>var key='{PROVIDER_KEY}'</script>",
        "@everyone <@1> **bold** [click](https://evil.example) ```x```",
        "Invalid `prisma.user.findFirst()` at /app/node_modules/x.js:12",
    ],
)
async def test_a_hostile_error_text_shows_no_key_no_address_and_no_markup(
    message: str, house: House, mira: Person, general: Channel
) -> None:
    house.imagerouter.faults.error(message)
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": LARGE})
    told = await explanation(general, ask)

    said = told.text.split("**This cost you nothing.**", maxsplit=1)[0]
    for leak in (
        PROVIDER_KEY[:12],
        "http",
        "example",
        "prisma",
        "<",
        "@",
        "```",
        "[click]",
        "node",
    ):
        assert leak not in said, said
    assert house.imagerouter.api_key not in told.text
