"""What a generation's answer may look like, and what the client makes of it: over real sockets."""

import base64
import inspect
import json
import os
import textwrap

import pytest

from bot.imagerouter import (
    Billing,
    ChargedWithoutPicture,
    ImageRouter,
    ImageRouterError,
    Limits,
    MalformedAnswer,
    Moderated,
    NotStarted,
    OutcomeUnknown,
    ProviderFailed,
    Refusal,
    RefusedRequest,
)
from sandbox.clock import SandboxClock
from sandbox.imagerouter import Fault, ImageRouterServer

MODEL = "papercut/fold-mini"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


async def failure(router: ImageRouter, **fields: str) -> ImageRouterError:
    """Generate, and give the error that must come of it."""
    with pytest.raises(ImageRouterError) as caught:
        await router.generate(**{"model": MODEL, "prompt": "a paper boat", **fields})  # type: ignore[arg-type]  # only strings are passed
    return caught.value


async def test_the_example_of_the_class_works_as_it_stands(
    server: ImageRouterServer, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = inspect.getdoc(ImageRouter).split("```python\n")[1].split("```")[0]  # type: ignore[union-attr]  # it has one
    body = lines.replace("api_key=key", "api_key=key, base_url=base_url") + "return data\n"
    source = "async def example():\n" + textwrap.indent(body, "    ")
    names: dict[str, object] = {
        "ImageRouter": ImageRouter,
        "key": server.api_key,
        "base_url": server.base_url,
    }
    exec(compile(source, "example", "exec"), names)

    data = await names["example"]()  # type: ignore[operator]  # it was just defined

    assert data == server.answers[0].data
    assert capsys.readouterr().out == "0 micro-USD\n"


async def test_a_generation_gives_a_picture_and_its_exact_cost(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    made = await router.generate(
        model=MODEL, prompt="a paper boat", size="512x384", output_format="png", quality="high"
    )
    downloaded = await router.download(made.pictures[0].url or "", max_bytes=10_000_000)

    assert downloaded.data == server.answers[0].data
    assert downloaded.media_type == "image/png"
    assert made.cost_micros == 1300 == server.charges[0].cost_micros
    assert server.requests[0].fields == {
        "model": MODEL,
        "prompt": "a paper boat",
        "size": "512x384",
        "output_format": "png",
        "quality": "high",
        "response_format": "url",
    }
    assert server.requests[0].content_type == "application/json"


# 1. HTTP 200 is not success.
async def test_an_error_in_a_200_is_an_error_and_costs_nothing(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.error("Something broke inside the model")
    error = await failure(router)
    assert isinstance(error, ProviderFailed)
    assert error.billing is Billing.FREE
    assert error.excerpt == "Something broke inside the model"


async def test_an_error_wins_over_pictures_beside_it(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.answer('{"error": {"message": "no"}, "data": [{"url": "https://a.example/x"}]}')
    assert isinstance(await failure(router), ProviderFailed)


@pytest.mark.parametrize("body", ["{}", "[]", '"words"', "null", '{"created": 1}', "12"])
async def test_a_200_that_is_neither_error_nor_result_may_have_cost_something(
    server: ImageRouterServer, router: ImageRouter, body: str
) -> None:
    server.faults.answer(body)
    error = await failure(router)
    assert isinstance(error, MalformedAnswer)
    assert error.billing is Billing.UNKNOWN


async def test_a_web_page_in_a_200_may_have_cost_something(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.answer("<html><body>Bad gateway</body></html>")
    error = await failure(router)
    assert isinstance(error, MalformedAnswer)
    assert error.billing is Billing.UNKNOWN


# 2. Heartbeats.
async def test_blanks_before_the_answer_keep_the_connection_alive(
    server: ImageRouterServer,
) -> None:
    server.faults.latency(900)
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=Limits(idle_s=0.5)
    ) as router:
        made = await router.generate(model=MODEL, prompt="slow")
    assert made.latency_ms is not None
    assert made.latency_ms >= 900


async def test_silence_is_given_up_and_its_outcome_is_unknown(server: ImageRouterServer) -> None:
    server.faults.add(Fault(silent=True))
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=Limits(idle_s=0.2)
    ) as router:
        error = await failure(router)
    assert isinstance(error, OutcomeUnknown)
    assert error.billing is Billing.UNKNOWN
    assert len(server.requests) == 1


async def test_heartbeats_for_ever_are_given_up_after_the_total_time(
    server: ImageRouterServer,
) -> None:
    server.faults.add(Fault(blanks_only=True))
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=Limits(total_s=0.5)
    ) as router:
        assert isinstance(await failure(router), OutcomeUnknown)


# 3. Content-Type is missing.
async def test_a_refusal_without_content_type_is_understood(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    error = await failure(router, model="nobody/nothing")
    assert isinstance(error, RefusedRequest)
    assert error.reason is Refusal.UNKNOWN_MODEL
    assert error.billing is Billing.FREE


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_page_instead_of_the_api_means_that_nothing_began(
    server: ImageRouterServer, router: ImageRouter, status: int
) -> None:
    server.faults.status(status, "<html>no</html>", headers={"Content-Type": "text/html"})
    error = await failure(router)
    assert isinstance(error, NotStarted)
    assert error.billing is Billing.FREE


@pytest.mark.parametrize("status", [500, 520, 524])
async def test_a_server_failure_without_words_may_have_cost_something(
    server: ImageRouterServer, router: ImageRouter, status: int
) -> None:
    server.faults.status(status, "<html>oops</html>")
    error = await failure(router)
    assert isinstance(error, OutcomeUnknown)
    assert len(server.requests) == 1


# 4. Error bodies vary. (test_failures.py has the texts.)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "Blocked by our content policy"}}, Moderated),
        ({"error": "Your request was rejected by the safety system"}, Moderated),
        ({"error": ["one", "two"]}, ProviderFailed),
        ({"error": {"message": {"error": {"message": "deep"}}}}, ProviderFailed),
        ({"error": {"message": None, "type": None}, "status": 500}, ProviderFailed),
        ({"error": True}, ProviderFailed),
    ],
)
async def test_errors_of_any_shape_are_errors(
    server: ImageRouterServer, router: ImageRouter, body: object, kind: type[ImageRouterError]
) -> None:
    server.faults.answer(json.dumps(body))
    assert type(await failure(router)) is kind


async def test_a_message_of_a_megabyte_is_cut(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    page = "<html><head><style>p{}</style></head><body>Bad gateway " + "<p>x</p>" * 120_000
    server.faults.error(page)
    error = await failure(router)
    assert isinstance(error, ProviderFailed)
    assert error.excerpt.startswith("Bad gateway")
    assert len(error.excerpt) <= 160


# 5. Charged, yet no picture.
@pytest.mark.parametrize("shape", ["empty", "null"])
async def test_a_cost_without_a_picture_is_a_cost(
    server: ImageRouterServer, router: ImageRouter, shape: str
) -> None:
    server.faults.add(Fault(no_picture="empty" if shape == "empty" else "null"))
    error = await failure(router)
    assert isinstance(error, ChargedWithoutPicture)
    assert error.billing is Billing.CHARGED
    assert error.cost_micros == 1300 == server.charges[0].cost_micros


async def test_no_picture_and_no_cost_is_unknown_and_never_free(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(no_picture="empty", hide_cost=True))
    error = await failure(router)
    assert isinstance(error, ChargedWithoutPicture)
    assert error.billing is Billing.UNKNOWN
    assert error.cost_micros is None


@pytest.mark.parametrize("words", ["Failed to postlog usage", "Failed to postlog usage for a/b 7"])
async def test_a_failed_booking_means_that_the_money_is_gone(
    server: ImageRouterServer, router: ImageRouter, words: str
) -> None:
    server.faults.error(words, kind="internal_error")
    error = await failure(router)
    assert isinstance(error, ChargedWithoutPicture)
    assert error.billing is Billing.UNKNOWN


async def test_an_error_that_names_a_cost_is_charged(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.error("The result was lost", cost_micros=4200)
    error = await failure(router)
    assert error.billing is Billing.CHARGED
    assert error.cost_micros == 4200


# 6. More than one picture.
async def test_three_pictures_come_for_one_cost(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    made = await router.generate(model="saltmarsh/triptych", prompt="three")
    assert [picture.url for picture in made.pictures] == [sent.url for sent in server.answers]
    assert len(made.pictures) == 3
    assert made.cost_micros == 60_000


async def test_unusable_pictures_between_usable_ones_are_left_out(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    items: list[object] = [None, {}, {"url": None}, {"url": 7}, {"b64_json": "???"}, "x"]
    items += [{"url": "https://a.example/1.png"}, {"url": "javascript:alert(1)"}]
    server.faults.answer(json.dumps({"data": items, "cost": 0.01}))
    made = await router.generate(model=MODEL, prompt="x")
    assert [picture.url for picture in made.pictures] == ["https://a.example/1.png"]


# 7. What comes back may not be what was asked.
async def test_base64_is_taken_where_an_address_was_asked(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(swap_kind=True))
    made = await router.generate(model=MODEL, prompt="x")
    assert made.pictures[0].data == server.answers[0].data


async def test_an_address_is_taken_where_base64_was_asked(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(swap_kind=True))
    made = await router.generate(model=MODEL, prompt="x", response_format="b64_json")
    assert made.pictures[0].data is None
    assert made.pictures[0].url == server.answers[0].url


async def test_a_data_uri_prefix_is_taken_off(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    made = await router.generate(
        model="mosaic/tessera-brush", prompt="x", response_format="b64_ephemeral"
    )
    assert made.pictures[0].data == server.answers[0].data
    assert server.requests[0].fields["response_format"] == "b64_ephemeral"


async def test_a_data_uri_as_address_is_a_picture(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    text = "data:image/png;base64," + base64.b64encode(PNG).decode()
    server.faults.answer(json.dumps({"data": [{"url": text}], "cost": 0.01}))
    made = await router.generate(model=MODEL, prompt="x")
    assert made.pictures[0].data == PNG
    assert made.pictures[0].url is None


@pytest.mark.parametrize("model", ["papercut/vector-fold", "lumenfield/plate-scan"])
async def test_svg_and_tiff_come_through_byte_for_byte(
    server: ImageRouterServer, router: ImageRouter, model: str
) -> None:
    made = await router.generate(model=model, prompt="x", output_format="png")
    downloaded = await router.download(made.pictures[0].url or "", max_bytes=50_000_000)
    assert downloaded.data == server.answers[0].data
    assert downloaded.data[:4] in (b"<svg", b"II*\x00")


async def test_a_picture_of_twelve_megabytes_comes_through_base64(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    noise = os.urandom(12_000_001)
    server.faults.add(Fault(picture=noise, pictures=2))
    made = await router.generate(model=MODEL, prompt="x", response_format="b64_json")
    assert [picture.data for picture in made.pictures] == [noise, noise]
    assert made.cost_micros == 1300


async def test_a_picture_above_the_limit_is_dropped_and_its_cost_is_kept(
    server: ImageRouterServer,
) -> None:
    server.faults.add(Fault(picture=bytes(300_000)))
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=Limits(picture_bytes=100_000)
    ) as router:
        error = await failure(router, response_format="b64_json")
    assert isinstance(error, ChargedWithoutPicture)
    assert error.cost_micros == 1300


async def test_an_answer_without_end_is_cut_off(server: ImageRouterServer) -> None:
    server.faults.answer('{"data": [' + '"x",' * 100_000)
    async with ImageRouter(
        api_key=server.api_key, base_url=server.base_url, limits=Limits(answer_bytes=100_000)
    ) as router:
        error = await failure(router)
    assert isinstance(error, MalformedAnswer)
    assert error.billing is Billing.UNKNOWN


# 8. is in test_download.py.


# 9. `created` and unknown keys.
@pytest.mark.parametrize(
    ("model", "known"),
    [(MODEL, True), ("inkwell/quill-sketch", True), ("orchard/pippin", False)],
)
async def test_created_is_read_in_ms_and_in_seconds(
    router: ImageRouter, clock: SandboxClock, model: str, known: bool
) -> None:
    made = await router.generate(model=model, prompt="x")
    if known:
        assert made.created_ms is not None
        assert abs(made.created_ms - clock.now_ms()) < 60_000
    else:
        assert made.created_ms is None


async def test_unknown_keys_do_no_harm(server: ImageRouterServer, router: ImageRouter) -> None:
    item = {"url": "https://a.example/1", "revised_prompt": 3, "seed": [1]}
    server.faults.answer(json.dumps({"cost": 0.1, "data": [item], "usage": {}, "created": "x"}))
    made = await router.generate(model=MODEL, prompt="x")
    assert made.cost_micros == 100_000
    assert made.created_ms is None
