"""What is kept of a job, for how long, and who may deliver it."""

import asyncio

from bot.requests import ReplyRoute
from bot.storage import Delivery, Job, Output
from tests.storage.books import DAY, MINUTE, Books

PICTURE = b"\x89PNG the picture's bytes"


async def read(books: Books, job_id: int) -> Job:
    job = await books.jobs.get(job_id)
    assert job is not None
    return job


async def test_a_job_is_read_back_as_it_was_asked_for(books: Books) -> None:
    asked = books.job(pictures=2, prompt="zwei Boote ⛵")
    held = await books.ledger.hold(asked)
    job = await read(books, held.job_id)
    assert (job.request, job.actor, job.reply) == (asked.request, asked.actor, asked.reply)
    assert (job.prompt, job.model, job.ceiling) == ("zwei Boote ⛵", "some/model", 1000)
    assert [charge.id for charge in job.charges] == list(held.charge_ids)
    assert (job.delivery, job.spent, job.pending, job.private) == (Delivery.OPEN, 0, 0, False)
    assert await books.jobs.get(1) is None


async def test_pictures_wait_in_order_until_they_are_delivered(books: Books) -> None:
    held = await books.sent(books.job(pictures=2))
    link = Output(url="https://storage.example/a.png", media_type="image/png")
    extra = Output(data=PICTURE + b"2", media_type="image/png")
    await books.ledger.settle(held.charge_ids[1], actual=5, outputs=[link])
    await books.ledger.settle(held.charge_ids[0], actual=5, outputs=[Output(data=PICTURE), extra])
    job = await read(books, held.job_id)
    assert job.outputs == (Output(data=PICTURE), extra, link)
    assert [charge.pictures for charge in job.charges] == [2, 1]


async def test_delivery_deletes_bytes_and_token_and_happens_once(books: Books) -> None:
    held = await books.sent(books.job())
    await books.ledger.settle(held.charge_ids[0], actual=5, outputs=[Output(data=PICTURE)])
    assert await books.jobs.mark_delivered({held.job_id: (770, 99)})
    assert not await books.jobs.mark_delivered({held.job_id: (1, 1)})
    assert not await books.jobs.mark_undeliverable(held.job_id, reason="late")
    job = await read(books, held.job_id)
    assert (job.delivery, job.message_channel_id, job.message_id) == (Delivery.DELIVERED, 770, 99)
    assert job.outputs == (Output(),)
    assert job.reply is not None
    assert job.reply.token == ""


async def test_settling_tells_what_its_person_has_spent_today(books: Books) -> None:
    for user, actual in ((11, 5), (12, 7), (11, 30)):
        books.clock.now += DAY * (actual == 30)
        held = await books.sent(books.job(user=user, guild=user))
        await books.ledger.settle(held.charge_ids[0], actual=actual)
    last = await books.sent(books.job())
    settled = await books.ledger.settle(last.charge_ids[0], actual=400)
    assert settled.spent_today == 430


async def test_many_deliveries_are_written_down_at_once(books: Books) -> None:
    first, second, third = [await books.sent(books.job()) for _ in range(3)]
    for held in (first, second, third):
        await books.ledger.settle(held.charge_ids[0], actual=5)
    await books.jobs.mark_undeliverable(second.job_id, reason="gone")
    messages = {first.job_id: (770, 98), second.job_id: (770, 99), third.job_id: None}
    assert await books.jobs.mark_delivered(messages) == {first.job_id, third.job_id}
    seen = [await read(books, held.job_id) for held in (first, second, third)]
    assert [job.message_id for job in seen] == [98, None, None]


async def test_a_message_that_was_deleted_before_it_was_noted_stays_forgotten(
    books: Books,
) -> None:
    held = await books.sent(books.job())
    await books.ledger.settle(held.charge_ids[0], actual=5)
    await books.jobs.unlink(held.job_id)
    assert await books.jobs.mark_delivered({held.job_id: (770, 99)}) == set()
    job = await read(books, held.job_id)
    assert (job.delivery, job.message_id) == (Delivery.DELIVERED, None)


async def test_an_undeliverable_job_says_why(books: Books) -> None:
    held = await books.ledger.hold(books.job())
    assert await books.jobs.mark_undeliverable(held.job_id, reason="the channel is gone")
    job = await read(books, held.job_id)
    assert job.delivery is Delivery.UNDELIVERABLE
    assert job.undeliverable_reason == "the channel is gone"


async def test_late_pictures_of_a_closed_job_are_counted_and_not_kept(books: Books) -> None:
    held = await books.sent(books.job())
    await books.jobs.mark_undeliverable(held.job_id, reason="gone")
    await books.ledger.settle(held.charge_ids[0], actual=5, outputs=[Output(data=PICTURE)])
    job = await read(books, held.job_id)
    assert (job.outputs, job.charges[0].pictures) == ((), 1)


async def test_a_private_job_keeps_neither_prompt_nor_picture(books: Books) -> None:
    held = await books.sent(books.job(private=True, prompt="a secret wish", pictures=2))
    output = Output(url="https://storage.example/x", data=PICTURE, media_type="image/png")
    await books.ledger.settle(held.charge_ids[0], actual=5, outputs=[output])
    await books.ledger.mark_unknown(held.charge_ids[1], reason="?", outputs=[output])
    job = await read(books, held.job_id)
    assert (job.private, job.prompt, job.request.prompt, job.outputs) == (True, None, "", ())
    assert [charge.pictures for charge in job.charges] == [1, 1]


async def test_the_answers_place_can_be_set_until_the_job_is_closed(books: Books) -> None:
    held = await books.ledger.hold(books.job())
    reply = ReplyRoute(9, "another-token", books.clock.now + DAY, 8, 7, 6)
    assert await books.jobs.set_reply(held.job_id, reply)
    assert (await read(books, held.job_id)).reply == reply
    await books.jobs.mark_undeliverable(held.job_id, reason="gone")
    assert not await books.jobs.set_reply(held.job_id, reply)


async def test_a_sweep_forgets_tokens_that_have_expired(books: Books) -> None:
    held = await books.ledger.hold(books.job())
    books.clock.now += 14 * MINUTE
    await books.ledger.sweep()
    reply = (await read(books, held.job_id)).reply
    assert reply is not None
    assert (reply.token, reply.channel_id) == ("", 770)


async def test_only_jobs_of_dead_processes_wait_to_be_delivered(books: Books) -> None:
    dead, living = books.other_process(), books.other_process()
    await dead.ledger.heartbeat()
    late = await dead.sent(dead.job())
    await dead.ledger.settle(late.charge_ids[0], actual=5)
    books.clock.now += 2 * MINUTE
    await living.ledger.heartbeat()
    for process in (books, living):
        await process.sent(process.job())
    closed = await dead.ledger.hold(dead.job())
    await dead.jobs.mark_undeliverable(closed.job_id, reason="gone")
    assert await books.jobs.open_deliveries() == [late.job_id]


async def test_a_delivery_is_claimed_by_one_process_only(books: Books) -> None:
    dead, rival = books.other_process(), books.other_process()
    held = await dead.ledger.hold(dead.job())
    await rival.ledger.heartbeat()
    await books.ledger.sweep()
    claims = await asyncio.gather(
        *(process.jobs.claim_delivery(held.job_id) for process in (books, rival, books, rival))
    )
    assert claims in ([True, False, True, False], [False, True, False, True])


async def test_a_living_processs_delivery_cannot_be_claimed(books: Books) -> None:
    rival = books.other_process()
    held = await books.ledger.hold(books.job())
    assert not await rival.jobs.claim_delivery(held.job_id)
    assert await books.jobs.claim_delivery(held.job_id)
    await books.jobs.mark_undeliverable(held.job_id, reason="gone")
    assert not await books.jobs.claim_delivery(held.job_id)


async def test_recent_jobs_come_newest_first_with_what_they_cost(books: Books) -> None:
    for number in range(3):
        held = await books.sent(books.job(pictures=2, prompt=f"boat {number}"))
        await books.ledger.settle(held.charge_ids[0], actual=100 + number)
        if number < 2:
            await books.ledger.mark_unknown(held.charge_ids[1], reason="?")
        books.clock.now += MINUTE
    await books.ledger.hold(books.job(user=12))
    newest, older = await books.jobs.recent(11, limit=2)
    assert (newest.prompt, newest.spent, newest.pending, newest.open_charges) == (
        "boat 2",
        102,
        0,
        1,
    )
    assert (older.prompt, older.spent, older.pending, older.open_charges) == (
        "boat 1",
        101,
        1000,
        0,
    )
