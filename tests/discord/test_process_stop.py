"""The bot ends as its operator wants: after what was sent, or at once."""

import signal
from pathlib import Path

from sandbox.books import Books
from sandbox.child import Child
from sandbox.house import House, explanation, pictures, waiting

EXIT_INTERRUPTED = 130


async def test_an_idle_bot_ends_at_once_and_well(servers: House, tmp_path: Path) -> None:
    async with Child(servers.servers, tmp_path) as child:
        await child.printed("Connected as ")
        child.send(signal.SIGTERM)
        assert await child.ended(timeout=10) == 0
    assert child.lines[-1] == "Stopping."
    assert child.troubles == []


async def test_a_bot_that_is_still_starting_ends_well_too(servers: House, tmp_path: Path) -> None:
    gate = servers.discord.faults.hold("PUT /applications/*/commands")
    async with Child(servers.servers, tmp_path) as child:
        await gate.reached(timeout=20)
        child.send(signal.SIGINT)
        assert await child.ended(timeout=10) == 0
    assert "Traceback" not in child.output


async def test_the_first_signal_waits_for_what_was_sent_and_takes_nothing_new(
    servers: House, tmp_path: Path, books: Books
) -> None:
    mira, theo, general = servers.person("mira"), servers.person("theo"), servers.channel()
    gate = servers.imagerouter.faults.hold()
    async with Child(servers.servers, tmp_path, environ={"MEMBER_JOBS": "1"}) as child:
        await servers.discord.wait_for_bot(20)
        sent = await mira.slash(general, "imagine", {"prompt": "a boat that was sent"})
        await gate.reached()
        queued = await mira.slash(general, "imagine", {"prompt": "a boat that waits"})
        await mira.wait_for(general, lambda m: "Waiting for a free place" in m.text)

        child.send(signal.SIGTERM)
        await child.printed("Stopping: waiting for one job sent to ImageRouter.")
        told = await explanation(general, queued)
        refused = await theo.slash(general, "imagine", {"prompt": "a boat too late"})
        words = await explanation(general, refused)
        gate.open()
        message = await pictures(mira, general, sent)
        code = await child.ended()

    assert code == 0
    assert child.troubles == []
    assert "Restarted; this cost nothing." in told.text
    assert "a boat that waits" in told.text
    assert words.ephemeral_to == theo.user.id
    assert "The bot is restarting" in words.text
    assert "This cost you nothing." in words.text
    assert "a boat that was sent" in message.text
    assert waiting(servers) == []
    assert [(row["state"], row["reason"]) for row in books.charges()] == [
        ("settled", ""),
        ("released", "ShuttingDown"),
    ]
    assert [row["delivery"] for row in books.rows("SELECT delivery FROM job")] == ["delivered"] * 2


async def test_a_second_signal_ends_at_once_and_the_next_start_tells(
    servers: House, tmp_path: Path, books: Books
) -> None:
    mira, general = servers.person("mira"), servers.channel()
    gate = servers.imagerouter.faults.hold()
    async with Child(servers.servers, tmp_path) as child:
        await servers.discord.wait_for_bot(20)
        ask = await mira.slash(
            general, "imagine", {"prompt": "a boat", "model": "papercut/fold-large"}
        )
        await gate.reached()
        child.send(signal.SIGINT)
        await child.printed("Again ends at once.")
        child.send(signal.SIGINT)
        assert await child.ended(timeout=10) == EXIT_INTERRUPTED
    assert "Traceback" not in child.output
    assert [row["state"] for row in books.charges()] == ["dispatched"]

    await servers.start_bot()

    told = await explanation(general, ask)
    assert "Outcome unknown; up to $0.08 counts against you." in told.text
    assert waiting(servers) == []
