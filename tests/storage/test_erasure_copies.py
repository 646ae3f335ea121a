"""Somebody is erased from whose jobs others have made their own."""

import json

from msgspec.structs import replace

from bot.requests import ImageRequest, Source
from bot.storage import Erasure, Job, NewJob
from bot.storage.rows import Tx
from tests.storage.books import Books, ended

THEM, OTHER, THIRD = 424_242_424_242, 12, 13
WORDS = "a lighthouse that nobody else has ever thought of"
GIVEN = Source("https://cdn.test/attachments/1/2/theirs.png?ex=1&hm=2", "theirs.png")


def an_edit(books: Books, user: int, request: ImageRequest, parent: int | None) -> NewJob:
    return replace(books.job(user=user), request=request, parent_id=parent)


def of(*images: Source, prompt: str = WORDS) -> ImageRequest:
    return ImageRequest("edit", prompt, images=images)


async def read(books: Books, job_id: int) -> Job:
    job = await books.jobs.get(job_id)
    assert job is not None
    return job


async def test_who_pressed_again_loses_the_words_and_the_links_to_what_was_given(
    books: Books,
) -> None:
    theirs = await ended(books, an_edit(books, THEM, of(GIVEN), None))
    signed_anew = replace(GIVEN, url=GIVEN.place + "?ex=9&hm=8", borrowed=True)
    again = await ended(books, an_edit(books, OTHER, of(signed_anew), theirs.job_id))
    and_again = await ended(books, an_edit(books, THIRD, of(signed_anew), again.job_id))

    done = await Erasure(books.db, clock=books.clock).erase_person(THEM)

    assert (done.rows["prompt"], done.rows["job_input"]) == (3, 3)
    for job_id in (again.job_id, and_again.job_id):
        job = await read(books, job_id)
        assert job.prompt is None
        assert [(each.url, each.filename) for each in job.request.images] == [("", "erased")]
        assert job.actor.user_id in {OTHER, THIRD}
    assert await books.ledger.spend(OTHER) == 700


async def test_who_edited_a_result_keeps_their_own_words_and_pictures(books: Books) -> None:
    theirs = await ended(books, books.job(user=THEM, prompt=WORDS), message=4711)
    result = Source("https://cdn.test/attachments/1/3/result.png", "r.png", message_id=4711)
    own = Source("https://cdn.test/attachments/1/4/own.png", "own.png")
    request = replace(of(result, own, prompt="in the rain"), mask=Source("", "m.png", mask_id=5))
    edit = await ended(books, an_edit(books, OTHER, request, theirs.job_id))
    unrelated = await ended(books, an_edit(books, OTHER, of(own), None))

    await Erasure(books.db, clock=books.clock).erase_person(THEM)

    job = await read(books, edit.job_id)
    assert job.prompt == "in the rain"
    assert [each.url for each in job.request.images] == ["", own.url]
    assert job.request.mask == request.mask
    assert job.request.is_edit
    assert (await read(books, unrelated.job_id)).prompt == WORDS  # their own idea


async def test_a_mask_that_was_painted_for_a_job_goes_with_it(books: Books) -> None:
    mask = replace(of(GIVEN), mask=Source("", "mask.png", mask_id=77))

    async def paint(tx: Tx) -> None:
        await tx.fetch(
            "INSERT INTO mask (id, user_id, data, expires_at) VALUES (77, $1, $2, $3)",
            OTHER,
            b"png",
            books.clock.now + 10**9,
        )

    await books.db.write(paint)
    theirs = await ended(books, an_edit(books, THEM, mask, None))
    again = await ended(books, an_edit(books, OTHER, mask, theirs.job_id))
    await Erasure(books.db, clock=books.clock).erase_person(THEM)
    found = await books.db.read(lambda tx: tx.fetch("SELECT id FROM mask"))
    assert found == []
    job = await read(books, again.job_id)
    assert job.request.mask is not None
    assert (job.request.mask.mask_id, job.request.mask.url) == (0, "")


async def test_inputs_that_nobody_can_read_do_not_stop_an_erasure(books: Books) -> None:
    theirs = await ended(books, an_edit(books, THEM, of(GIVEN), None))
    again = await ended(books, an_edit(books, OTHER, of(GIVEN), theirs.job_id))

    async def spoil(tx: Tx) -> None:
        await tx.fetch("UPDATE job_input SET content = 'no JSON'")

    await books.db.write(spoil)
    assert (await Erasure(books.db, clock=books.clock).erase_person(THEM)).waiting == 0
    rows = await books.db.read(lambda tx: tx.fetch("SELECT job_id, content FROM job_input"))
    assert [row.integer("job_id") for row in rows] == [again.job_id]


async def test_as_many_copies_as_there_are_lose_it(books: Books) -> None:
    theirs = await ended(books, an_edit(books, THEM, of(GIVEN), None))
    parent = theirs.job_id
    for _ in range(30):
        parent = (await ended(books, an_edit(books, OTHER, of(GIVEN), parent))).job_id
    await Erasure(books.db, clock=books.clock).erase_person(THEM)
    rows = await books.db.read(lambda tx: tx.fetch("SELECT content FROM job_input"))
    assert len(rows) == 30
    assert all("theirs" not in json.dumps(row.text("content")) for row in rows)
