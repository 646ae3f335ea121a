"""Edits: what is streamed, what is refused before, and what a broken upload means."""

import asyncio
import gc
import io
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.imagerouter import (
    MAX_FILE_BYTES,
    BadKey,
    Billing,
    ImageRouter,
    ImageRouterError,
    Limits,
    NotStarted,
    OutcomeUnknown,
    Refusal,
    RefusedRequest,
    Upload,
)
from sandbox.imagerouter import Fault, ImageRouterServer
from sandbox.imagerouter.wire import RawServer

COLLAGE = "saltmarsh/heron-collage"
BRUSH = "mosaic/tessera-brush"


def png(colour: str = "teal", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (40, 30), colour).save(out, "PNG")
    return out.getvalue()


def upload(data: bytes, name: str = "boat.png") -> Upload:
    return Upload(name, "image/png", data)


async def refused(router: ImageRouter, **fields: object) -> RefusedRequest:
    values = {"model": COLLAGE, "prompt": "x", "images": [upload(png())], **fields}
    with pytest.raises(RefusedRequest) as caught:
        await router.edit(**values)  # type: ignore[arg-type]  # the tests pass what it takes
    assert caught.value.billing is Billing.FREE
    return caught.value


async def test_images_and_mask_arrive_byte_for_byte(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    picture, mask = png("navy"), png("white", "L")
    made = await router.edit(
        model=BRUSH,
        prompt="a red sail",
        images=[upload(picture)],
        mask=Upload("mask.png", "image/png", mask),
        quality="low",
        output_format="png",
        response_format="b64_json",
    )
    request = server.requests[0]
    assert request.endpoint == "edits"
    assert [file.field for file in request.files] == ["image[]", "mask[]"]
    assert request.files[0].data == picture
    assert request.files[0].media_type == "image/png"
    assert request.mask is not None
    assert request.mask.data == mask
    assert request.fields == {
        "model": BRUSH,
        "prompt": "a red sail",
        "size": "auto",
        "quality": "low",
        "output_format": "png",
        "response_format": "b64_json",
    }
    assert made.pictures[0].data == server.answers[0].data
    assert made.cost_micros == 11_000


async def test_sixteen_images_from_memory_disk_and_streams_arrive_in_order(
    server: ImageRouterServer, router: ImageRouter, tmp_path: Path
) -> None:
    contents = [png(f"hsl({number * 20},80%,50%)") for number in range(16)]
    images: list[Upload] = []
    for number, data in enumerate(contents):
        if number % 3 == 0:
            images.append(upload(data))
        elif number % 3 == 1:
            path = tmp_path / f"{number}.png"
            path.write_bytes(data)
            images.append(Upload(path.name, "image/png", path))
        else:

            async def stream(data: bytes = data) -> AsyncIterator[bytes]:
                yield data[:10]
                yield data[10:]

            images.append(Upload(f"{number}.png", "image/png", stream, size=len(data)))
    await router.edit(model=COLLAGE, prompt="a collage", images=images)
    assert [file.data for file in server.requests[0].images] == contents


async def test_no_prompt_and_no_image_are_left_to_the_model(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    await router.edit(model="harborlight/cutout", prompt=None, images=[upload(png())])
    assert "prompt" not in server.requests[0].fields
    await router.edit(model=COLLAGE, prompt="no image", images=[])
    assert server.requests[1].images == ()


async def test_names_of_files_cannot_break_the_form(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    name = 'a"; name="model"\r\n\r\nevil/model\r\n--x/../日本.png'
    await router.edit(model=COLLAGE, prompt='"\r\n--x', images=[Upload(name, "x\r\ny", png())])
    request = server.requests[0]
    assert request.fields["model"] == COLLAGE
    assert request.fields["prompt"] == '"\r\n--x'
    assert len(request.files) == 1
    assert request.files[0].media_type == "application/octet-stream"
    assert request.files[0].filename.endswith(".png")


async def test_files_that_cannot_work_are_refused_before_anything_is_sent(
    server: ImageRouterServer, router: ImageRouter, tmp_path: Path
) -> None:
    big = Upload("big.png", "image/png", bytes(MAX_FILE_BYTES + 1))
    assert (await refused(router, images=[big])).reason is Refusal.FILE_TOO_LARGE
    assert (await refused(router, images=[], mask=big)).param == "mask"
    assert (await refused(router, images=[upload(b"")])).reason is Refusal.FILE_UNREADABLE
    gone = Upload("gone.png", "image/png", tmp_path / "gone.png")
    assert (await refused(router, images=[gone])).reason is Refusal.FILE_UNREADABLE
    many = [upload(png())] * 17
    assert (await refused(router, images=many)).reason is Refusal.TOO_MANY_IMAGES
    assert (await refused(router, prompt="\0")).reason is Refusal.PROMPT_UNUSABLE
    assert server.calls == []


async def test_the_largest_file_is_sent(server: ImageRouterServer, router: ImageRouter) -> None:
    server.faults.error("enough")
    data = os.urandom(MAX_FILE_BYTES)
    with pytest.raises(ImageRouterError):
        await router.edit(model=COLLAGE, prompt="x", images=[upload(data)])
    assert server.requests[0].images[0].data == data


async def test_a_stream_without_its_size_is_a_mistake(router: ImageRouter) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"x"

    with pytest.raises(TypeError, match="size"):
        await router.edit(model=COLLAGE, prompt="x", images=[Upload("a", "image/png", stream)])


@pytest.mark.parametrize(
    ("model", "images", "mask", "reason"),
    [
        ("papercut/fold-mini", 1, False, Refusal.NO_IMAGE_INPUT),
        (COLLAGE, 1, True, Refusal.MASK_UNSUPPORTED),
        ("inkwell/retouch-one", 2, False, Refusal.TOO_MANY_IMAGES),
        ("harborlight/upscale-4x", 0, False, Refusal.NEEDS_IMAGE),
    ],
)
async def test_what_a_model_cannot_do_is_learned_from_its_answer(
    server: ImageRouterServer,
    router: ImageRouter,
    model: str,
    images: int,
    mask: bool,
    reason: Refusal,
) -> None:
    error = await refused(
        router,
        model=model,
        images=[upload(png())] * images,
        mask=upload(png()) if mask else None,
    )
    assert error.reason is reason
    assert server.charges == []


async def test_a_bad_key_is_told_even_during_a_large_upload(
    server: ImageRouterServer, tmp_path: Path
) -> None:
    path = tmp_path / "big.png"
    path.write_bytes(bytes(20_000_000))
    on_disk = Upload("big.png", "image/png", path)
    async with ImageRouter(api_key="wrong" * 12 + "1234", base_url=server.base_url) as router:
        for _ in range(5):
            with pytest.raises(BadKey):
                await router.edit(
                    model=COLLAGE, prompt="x", images=[on_disk, upload(bytes(20_000_000))]
                )
    assert server.requests == []
    gc.collect()  # an open file would be an error here


async def test_a_connection_lost_during_the_upload_costs_nothing(raw_server: RawServer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.transport.abort()

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url) as router:
        with pytest.raises(NotStarted) as caught:
            await router.edit(model=COLLAGE, prompt="x", images=[upload(bytes(20_000_000))])
    assert caught.value.billing is Billing.FREE


async def test_a_connection_lost_after_the_upload_is_unknown(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(drop="before_headers"))
    with pytest.raises(OutcomeUnknown):
        await router.edit(model=COLLAGE, prompt="x", images=[upload(png())])
    assert len(server.charges) == 1


@pytest.mark.parametrize("difference", [-1, 1])
async def test_a_file_that_changes_while_it_is_sent_starts_nothing(
    server: ImageRouterServer, router: ImageRouter, difference: int
) -> None:
    data = png()

    async def stream() -> AsyncIterator[bytes]:
        yield data

    image = Upload("a.png", "image/png", stream, size=len(data) + difference)
    error = await refused(router, images=[image])
    assert error.reason is Refusal.FILE_UNREADABLE
    assert server.charges == []


async def test_an_upload_is_sent_again_whole_after_a_proxys_refusal(
    server: ImageRouterServer, router: ImageRouter
) -> None:
    data = png("gold")
    server.faults.status(503, "<html>")
    await router.edit(model=COLLAGE, prompt="x", images=[upload(data)])
    assert [request.images[0].data for request in server.requests] == [data, data]
    assert len(server.charges) == 1


async def test_sixteen_files_are_streamed_without_a_second_copy(
    raw_server: RawServer, tmp_path: Path
) -> None:
    size = 4_000_000
    path = tmp_path / "big.png"
    path.write_bytes(bytes(size))
    received = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        while received < length:
            received += len(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    url = await raw_server(talk)
    async with ImageRouter(api_key="k", base_url=url, limits=Limits(retries=0)) as router:
        images = [Upload("a.png", "image/png", path)] * 16
        tracemalloc.start()
        try:
            with pytest.raises(ImageRouterError):
                await router.edit(model=COLLAGE, prompt="x", images=images)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert received > 16 * size
    assert peak < size
