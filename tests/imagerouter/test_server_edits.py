"""The local ImageRouter's edits: what it takes, what it refuses, and what it makes of a picture."""

import io
import json

import aiohttp
import pytest
from PIL import Image, ImageDraw

from bot.imagerouter import ImageRouter, Upload
from sandbox.imagerouter import DEFAULT_MODELS, ImageRouterServer

COLLAGE = "saltmarsh/heron-collage"
BRUSH = "mosaic/tessera-brush"
SIZE = (80, 40)
File = tuple[str, bytes]


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def disc(mode: str = "RGB") -> Image.Image:
    """A red disc on grey, or on nothing where the mode has transparency."""
    picture = Image.new(mode, SIZE, (90, 90, 90) if mode == "RGB" else (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((20, 5, 50, 35), fill="red")
    return picture


async def post(
    server: ImageRouterServer, model: str, *files: File
) -> tuple[int, dict[str, object]]:
    """Send a form of our own making; returns status and JSON."""
    fields = {"model": model, "prompt": "blue", "output_format": "png"}
    form = aiohttp.FormData(fields, default_to_multipart=True)
    for field, data in files:
        form.add_field(field, data, filename="a.png", content_type="image/png")
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.base_url}/v1/openai/images/edits",
            data=form,
            headers={"Authorization": f"Bearer {server.api_key}"},
        ) as response,
    ):
        return response.status, json.loads(await response.read())


async def edited(
    server: ImageRouterServer, router: ImageRouter, model: str, picture: Image.Image
) -> Image.Image:
    await router.edit(
        model=model,
        prompt="blue",
        images=[Upload("a.png", "image/png", png(picture))],
        output_format="png",
    )
    return Image.open(io.BytesIO(server.answers[-1].data))


@pytest.mark.parametrize(
    "files",
    [
        [("image", png(disc()))],
        [("image", png(disc())), ("mask[]", png(disc()))],
        [("picture[]", png(disc()))],
        [("image[]", png(disc()))] * 17,
        [("image[]", png(disc())), ("mask[]", png(disc())), ("mask[]", png(disc()))],
    ],
)
async def test_files_in_other_fields_or_too_many_are_refused(
    server: ImageRouterServer, files: list[File]
) -> None:
    status, body = await post(server, BRUSH, *files)
    assert status == 400
    assert body["error"] == {
        "message": "File upload error: Unexpected field",
        "type": "invalid_request_error",
    }
    assert (server.requests, server.charges) == ([], [])


async def test_the_wrong_field_beside_the_right_one_wins_without_a_word(
    server: ImageRouterServer,
) -> None:
    wrong = png(disc())
    status, _ = await post(
        server, COLLAGE, ("image[]", png(Image.new("RGB", SIZE))), ("image", wrong)
    )
    assert status == 200
    assert [(file.field, file.data) for file in server.requests[0].files] == [("image", wrong)]


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        ("inkwell/retouch-one", ["image[]"] * 2, "This model supports only one image input"),
        ("papercut/fold-mini", ["image[]"], "Image editing is not supported for this model"),
        (COLLAGE, ["image[]", "mask[]"], "Mask editing is not supported for this model"),
        ("northwind/gale-edit", [], "An input image is required for this model"),
    ],
)
async def test_what_a_model_cannot_do_is_told_in_a_200_and_costs_nothing(
    server: ImageRouterServer, model: str, fields: list[str], message: str
) -> None:
    status, body = await post(server, model, *[(field, png(disc())) for field in fields])
    assert status == 200
    error = body["error"]
    assert isinstance(error, dict)
    assert error["message"] == message
    assert server.charges == []
    assert [file.field for file in server.requests[0].files] == fields


async def test_the_area_is_where_the_mask_is_transparent_whatever_its_size(
    server: ImageRouterServer,
) -> None:
    mask = Image.new("RGBA", (8, 4), "black")
    mask.paste((255, 255, 255, 0), (0, 0, 4, 4))
    await post(server, BRUSH, ("image[]", png(disc())), ("mask[]", png(mask)))
    answer = Image.open(io.BytesIO(server.answers[0].data)).convert("RGB")
    assert answer.size == SIZE
    assert answer.getpixel((5, 20)) != (90, 90, 90)
    assert answer.crop((44, 0, *SIZE)).tobytes() == disc().crop((44, 0, *SIZE)).tobytes()


async def test_an_edit_without_a_mask_still_looks_like_its_picture(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    answer = (await edited(server, router, COLLAGE, disc())).convert("RGB")
    assert answer.size == SIZE
    inside, outside = answer.getpixel((35, 20)), answer.getpixel((75, 5))
    assert inside != outside
    assert outside != (90, 90, 90)


async def test_a_tracing_is_an_svg_and_what_was_transparent_is_white_in_it(
    server: ImageRouterServer,
) -> None:
    status, _ = await post(server, "papercut/trace", ("image[]", png(disc("RGBA"))))
    svg = server.answers[0].data.decode()
    assert status == 200
    assert server.answers[0].media_type == "image/svg+xml"
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"')
    assert svg.count("<rect ") == 48 * 24
    assert {'fill="#ffffff"', 'fill="#ff0000"'} <= set(svg.replace("/>", " ").split())


async def test_other_pictures_lie_small_on_the_first(server: ImageRouterServer) -> None:
    colours = [(0, 200, 0), (0, 0, 200), (200, 200, 0)]
    more = [("image[]", png(Image.new("RGB", SIZE, colour))) for colour in colours]
    base = Image.new("RGB", (200, 100), (90, 90, 90))
    await post(server, COLLAGE, ("image[]", png(base)), *more)
    answer = Image.open(io.BytesIO(server.answers[0].data)).convert("RGB")
    assert [answer.getpixel((20 + 32 * place, 20)) for place in range(3)] == colours


async def test_models_for_one_purpose_do_that_and_nothing_else(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    large = await edited(server, router, "harborlight/upscale-4x", disc())
    assert large.size == (320, 160)
    cut = (await edited(server, router, "harborlight/cutout", disc())).convert("RGBA")
    assert cut.getchannel("A").getpixel((0, 0)) == 0
    assert cut.getpixel((35, 20)) == (255, 0, 0, 255)
    plain = await edited(server, router, "harborlight/cutout", Image.new("RGB", SIZE, "navy"))
    assert plain.getpixel((40, 20)) == (0, 0, 128, 255)


def test_every_ability_of_editing_is_there() -> None:
    editing = [model for model in DEFAULT_MODELS if model.edit]
    assert {(m.mask, m.one_image, m.needs_image) for m in editing} >= {
        (True, False, False),
        (True, True, False),
        (True, False, True),
        (False, True, True),
        (False, False, False),
    }
    assert {model.effect for model in editing} == {"paint", "enlarge", "cut_out", "trace"}
