"""/privacy: what is kept, a copy of it, and its end."""

import asyncio
import json
import zipfile
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.talk import answered, mail, make, told
from tests.discord.edits import edit_form, rename
from tests.disk import on_disk

WORDS = "a lighthouse that nobody else has ever thought of"
LARGE = "papercut/fold-large"
ERASE, ERASE_ALL = "Erase my data", "Erase, and delete the messages too"
OpenHouse = Callable[..., Awaitable[House]]


async def imagine(person: Person, channel: Channel, **options: object) -> Message:
    ask = await person.slash(channel, "imagine", {"prompt": WORDS, "model": LARGE, **options})
    return await pictures(person, channel, ask)


async def press(person: Person, question: Message, label: str) -> Message:
    return await (await person.click(question, button(question, label))).answer()


# About


async def test_it_is_told_in_plain_words_what_is_kept_and_what_goes_elsewhere(
    house: House, mira: Person, general: Channel
) -> None:
    world = house.discord.world
    for place in (general, mail(house, mira)):
        text = await told(mira, place, "privacy about")
        for words in ("What is kept about you", "Who sees it", "**ImageRouter**", "How long"):
            assert words in text
        assert "until you erase them" in text
    world.user_installs(mira.user)
    assert "outside servers" in await told(mira, world.private_talk(mira.user), "privacy about")


async def test_it_says_for_how_long_in_this_server(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await told(ada, general, "config retention", keep="30")
    assert "deleted after **30 days**" in await told(mira, general, "privacy about")
    assert "until you erase" in await told(mira, mail(house, mira), "privacy about")


async def test_it_links_to_the_operators_own_words(
    house: House, mira: Person, general: Channel
) -> None:
    assert "privacy policy" not in await told(mira, general, "privacy about")
    house.discord.world.application.privacy_policy_url = "https://easel.example.org/privacy"
    await house.restart_bot()
    text = await told(mira, general, "privacy about")
    assert "[privacy policy](<https://easel.example.org/privacy>)" in text


# A copy


async def copy_of(house: House, person: Person, channel: Channel) -> tuple[Message, list[Any]]:
    """Ask for the copy; returns the answer, and the records that came by direct message."""
    answer = await answered(person, channel, "privacy export")
    [message] = [m for m in person.messages(mail(house, person)) if "/privacy export" in m.text]
    [attachment] = message.attachments
    assert attachment.filename == "my-data.json"
    return answer, json.loads(attachment.data)


async def test_the_copy_has_everything_and_comes_by_direct_message(
    house: House, ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    message = await imagine(mira, general)
    await imagine(theo, general)
    await told(ada, general, "quota grant", member=mira.user, amount="1", reason="a birthday")
    panel = await answered(mira, general, "settings")
    await (await mira.choose(panel, "settings:everywhere:model", [LARGE])).answer()
    answer, records = await copy_of(house, mira, general)

    assert "1 job with prompts and costs" in answer.text
    kinds = {each["kind"] for each in records}
    assert kinds == {"job", "settings", "extra for you", "sum of a month"}
    [job] = [each for each in records if each["kind"] == "job"]
    assert job["prompt"] == WORDS
    guild = house.guild().id
    assert job["message"] == f"https://discord.com/channels/{guild}/{general.id}/{message.id}"
    assert [charge["spent_usd"] for charge in job["charges"]] == ["0.040000"]
    [extra] = [each for each in records if each["kind"] == "extra for you"]
    assert (extra["usd"], extra["server"]) == ("1.000000", str(guild))
    assert "a birthday" not in json.dumps(records)  # what the admin wrote is the admin's
    assert str(ada.user.id) not in json.dumps(records)
    assert str(theo.user.id) not in json.dumps(records)


async def test_somebody_of_whom_nothing_is_known_gets_an_empty_copy(
    house: House, mira: Person
) -> None:
    answer, records = await copy_of(house, mira, mail(house, mira))
    assert records == []
    assert "0 jobs" in answer.text


async def test_what_an_admin_has_changed_is_in_their_copy(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await told(ada, general, "quota block", member=mira.user, reason="noise")
    _, records = await copy_of(house, ada, general)
    assert [(each["kind"], each["what"], each["reason"]) for each in records] == [
        ("change that you made", "block", "noise")
    ]
    _, records = await copy_of(house, mira, general)
    assert [each["kind"] for each in records] == ["block"]


async def test_with_direct_messages_closed_a_private_sentence_says_what_to_do(
    house: House, mira: Person, general: Channel
) -> None:
    await imagine(mira, general)
    house.discord.world.close_dms(mira.user)
    text = await told(mira, general, "privacy export")
    assert "could not be sent" in text
    assert "allow direct messages" in text
    assert mira.messages(mail(house, mira)) == []
    house.discord.world.open_dms(mira.user)
    await copy_of(house, mira, general)


async def test_a_copy_that_is_too_large_comes_in_parts_that_fit(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    [job] = books.rows("SELECT * FROM job")
    names = [name for name in job if name not in {"id", "idem", "created_at"}]
    many, words = 15_000, "".join(chr(0x4E00 + number % 997) for number in range(300))
    books.write(
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) "
        f"INSERT INTO job (id, idem, created_at, {', '.join(names)}) "
        f"SELECT n.i, 'copy' || n.i, created_at + n.i / 3, {', '.join(names)} "
        "FROM job, n WHERE job.id = ?",
        job["id"],
    )
    books.write(
        "INSERT INTO prompt (job_id, prompt) SELECT id, ? || id || hex(randomblob(1000)) "
        "FROM job WHERE id <= ?",
        words,
        many,
    )
    ask = await mira.slash(general, "privacy export")
    answer = await ask.answer(timeout=60)
    sent = [m for m in mira.messages(mail(house, mira)) if "/privacy export" in m.text]
    assert len(sent) > 1
    assert f"{len(sent)} files" in answer.text
    records = list[Any]()
    for number, message in enumerate(sent, 1):
        assert f"part {number} of {len(sent)}" in message.text
        [attachment] = message.attachments
        assert attachment.filename == f"my-data-{number}.zip"
        assert len(attachment.data) <= 10 * 1024 * 1024
        with zipfile.ZipFile(BytesIO(attachment.data)) as archive:
            records += json.loads(archive.read(f"my-data-{number}.json"))
    jobs = [each["job"] for each in records if each["kind"] == "job"]
    assert len(jobs) == len(set(jobs)) == many + 1


# The end


async def test_nothing_is_erased_before_somebody_says_so(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    question = await answered(mira, general, "privacy delete")
    for words in ("What goes", "What stays", "What remains elsewhere", "can't be undone"):
        assert words in question.text
    assert [each.label for each in question.buttons] == [ERASE, ERASE_ALL, "Cancel"]
    await press(mira, question, "Cancel")
    assert "Nothing was erased" in question.text
    assert question.buttons == []
    assert len(books.rows("SELECT * FROM prompt")) == 1


async def test_erased_words_are_in_no_file_of_the_data_folder(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    message = await imagine(mira, general)
    panel = await answered(mira, general, "settings")
    await (await mira.choose(panel, "settings:everywhere:private", ["no"])).answer()
    assert WORDS.encode() in on_disk(tmp_path)
    question = await answered(mira, general, "privacy delete")
    await press(mira, question, ERASE)

    assert "Your data is erased" in question.text
    assert "1 job with prompts" in question.text
    assert question.buttons == []
    assert WORDS.encode() not in on_disk(tmp_path)
    assert str(mira.user.id).encode() not in on_disk(tmp_path)
    assert not message.deleted
    assert "$0.00" in await told(mira, general, "usage")
    assert books.rows("SELECT SUM(spent) AS s FROM usage_month") == [{"s": 40_000}]
    assert "$0.46 left of $0.50 a day · own" in await told(mira, general, "usage")
    await house.stop_bot()
    assert WORDS.encode() not in on_disk(tmp_path)


async def test_outside_servers_it_works_just_the_same(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    world = house.discord.world
    world.user_installs(mira.user)
    question = await answered(mira, world.private_talk(mira.user), "privacy delete")
    await press(mira, question, ERASE)
    assert books.rows("SELECT * FROM prompt") == []


async def test_nobody_else_can_say_yes(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    await imagine(theo, general)
    hers = await answered(mira, general, "privacy delete")
    his = await answered(theo, general, "privacy delete")
    for label in (ERASE, "Cancel"):
        old = button(his, label)
        rename(his, old, old.replace(str(theo.user.id), str(mira.user.id)))
    for custom_id in (button(his, ERASE), button(his, "Cancel")):
        ask = await theo.click(his, custom_id)
        assert "asked somebody else" in (await ask.answer()).text
        assert his.buttons
    assert len(books.rows("SELECT * FROM prompt")) == 2
    await press(mira, hers, ERASE)  # hers still waits for her
    assert "Your data is erased" in hers.text
    assert len(books.rows("SELECT * FROM prompt")) == 1


async def test_a_double_click_erases_once_and_says_so_once(
    house: House, mira: Person, general: Channel, tmp_path: Path
) -> None:
    await imagine(mira, general)
    question = await answered(mira, general, "privacy delete")
    custom_id = button(question, ERASE)
    first = await mira.click(question, custom_id)
    second = await mira.click(question, custom_id)
    await asyncio.gather(first.answer(), second.acknowledged())
    await house.stop_bot()  # which waits for what clicks have begun
    assert "1 job with prompts" in question.text
    assert len((tmp_path / "bot.erased").read_text().splitlines()) == 1
    assert second.followups == []


async def test_a_click_that_discord_lost_can_be_made_again(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    question = await answered(mira, general, "privacy delete")
    house.discord.faults.status("POST /interactions/*/*/callback", 404)
    lost = await mira.click(question, button(question, ERASE))
    await lost.failed()
    assert len(books.rows("SELECT * FROM prompt")) == 1
    await press(mira, question, ERASE)
    assert "Your data is erased" in question.text
    assert books.rows("SELECT * FROM prompt") == []


async def test_a_restart_between_question_and_click_changes_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    await imagine(mira, general)
    question = await answered(mira, general, "privacy delete")
    await house.restart_bot()
    await press(mira, question, ERASE)
    assert "Your data is erased" in question.text
    assert books.rows("SELECT * FROM prompt") == []


async def test_a_job_that_runs_is_finished_first_and_erased_then(
    house: House, mira: Person, general: Channel, books: Books, tmp_path: Path
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": WORDS, "model": LARGE})
    await gate.reached()
    question = await answered(mira, general, "privacy delete")
    await press(mira, question, ERASE)
    assert "One job still runs" in question.text
    assert "erased once it has ended" in question.text
    gate.open()
    await pictures(mira, general, ask)
    await books.until(lambda _: books.rows("SELECT 1 FROM job WHERE delivery = 'open'") == [])
    await house.bot.services.privacy.go_on()
    assert books.rows("SELECT * FROM prompt") == []
    assert WORDS.encode() not in on_disk(tmp_path)


async def test_while_the_database_is_away_nothing_is_erased_and_the_question_stays(
    house: House, mira: Person, general: Channel, tmp_path: Path, books: Books
) -> None:
    await imagine(mira, general)
    question = await answered(mira, general, "privacy delete")
    (tmp_path / "bot.erased").mkdir()  # nothing can be written there
    ask = await mira.click(question, button(question, ERASE))
    assert (await ask.followup()).ephemeral_to == mira.user.id
    assert len(books.rows("SELECT * FROM prompt")) == 1
    (tmp_path / "bot.erased").rmdir()
    await press(mira, question, ERASE)
    assert books.rows("SELECT * FROM prompt") == []


async def test_what_was_set_is_forgotten_in_memory_too(
    house: House, mira: Person, general: Channel
) -> None:
    panel = await answered(mira, general, "settings")
    await (await mira.choose(panel, "settings:everywhere:private", ["yes"])).answer()
    await (await mira.choose(panel, "settings:everywhere:model", [LARGE])).answer()
    question = await answered(mira, general, "privacy delete")
    await press(mira, question, ERASE)
    ask = await mira.slash(general, "imagine", {"prompt": "a gull"})
    assert (await pictures(mira, general, ask)).ephemeral_to is None
    assert house.imagerouter.requests[-1].fields["model"] == "test/test"


async def test_who_pressed_again_can_not_repeat_erased_words(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    message = await imagine(mira, general)
    again = await theo.click(message, button(message, "Again"))
    copy = await pictures(theo, general, again)
    question = await answered(mira, general, "privacy delete")
    await press(mira, question, ERASE)
    assert books.rows("SELECT * FROM prompt") == []
    for shown in (message, copy):
        ask = await theo.click(shown, button(shown, "Again"))
        assert "not kept" in (await explanation(general, ask)).text.lower()


async def test_who_edited_an_erased_picture_is_told_that_it_is_gone(
    mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    message = await imagine(mira, general)
    form = await edit_form(theo, general, message)
    ask = await theo.submit(form, {"prompt": "now in the rain"})
    edit = await pictures(theo, general, ask)
    question = await answered(mira, general, "privacy delete")
    await press(mira, question, ERASE)
    assert [row["prompt"] for row in books.rows("SELECT prompt FROM prompt")] == ["now in the rain"]
    [inputs] = books.rows("SELECT content FROM job_input")
    assert str(message.attachments[0].id) not in str(inputs["content"])
    again = await theo.click(edit, button(edit, "Again"))
    assert "not there any more" in (await explanation(general, again)).text


# The messages


async def removed(channel: Channel, ask: Ask) -> Message:
    """Wait until a removal has ended."""
    message = await ask.followup()
    await channel.signal.until(
        lambda: True if "Deleted **" in message.text or "No message" in message.text else None,
        timeout=15,
        complain=lambda: message.text,
    )
    return message


async def test_the_messages_with_pictures_are_deleted_where_the_bot_may(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    shown = [await make(mira, general, "test/test") for _ in range(3)]
    by_mail = await make(mira, mail(house, mira), "test/test")
    theirs = await make(theo, general, "test/test")
    question = await answered(mira, general, "privacy delete")
    ask = await mira.click(question, button(question, ERASE_ALL))
    told_how_far = await removed(general, ask)

    assert told_how_far.ephemeral_to == mira.user.id
    assert "Deleted **4 of 4** messages" in told_how_far.text
    assert all(message.deleted for message in (*shown, by_mail))
    assert not theirs.deleted
    assert "Your data is erased" in question.text
    assert books.rows("SELECT * FROM removal_message") == []


async def test_what_the_bot_may_not_delete_is_said(
    house: House, mira: Person, general: Channel
) -> None:
    there = house.channel("lobby", guild="Night Owls")
    await make(mira, general, "test/test")
    message = await make(mira, there, "test/test")
    house.discord.world.bot_leaves(house.guild("Night Owls"))
    question = await answered(mira, general, "privacy delete")
    text = (await removed(general, await mira.click(question, button(question, ERASE_ALL)))).text
    assert "Deleted **1 of 2** messages" in text
    assert "**1 could not be deleted:**" in text
    assert "moderator" in text
    assert not message.deleted


async def test_without_any_message_that_is_said(
    house: House, mira: Person, general: Channel
) -> None:
    question = await answered(mira, general, "privacy delete")
    ask = await mira.click(question, button(question, ERASE_ALL))
    await ask.answer()
    assert "Nothing was kept about you" in question.text
    assert "No message with a picture of yours is known" in (await ask.followup()).text


async def test_the_message_of_a_job_that_still_runs_is_deleted_once_it_is_there(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    gate = house.imagerouter.faults.hold()
    job = await mira.slash(general, "imagine", {"prompt": WORDS, "model": LARGE})
    await gate.reached()
    question = await answered(mira, general, "privacy delete")
    ask = await mira.click(question, button(question, ERASE_ALL))
    assert "They are deleted now" in (await ask.followup()).text
    assert "One job still runs" in (await ask.answer()).text
    gate.open()
    message = await pictures(mira, general, job)
    await books.until(lambda _: books.rows("SELECT 1 FROM job WHERE delivery = 'open'") == [])
    await house.bot.services.privacy.go_on()
    house.bot.services.remover.begin()
    await removed(general, ask)
    assert message.deleted
    assert books.rows("SELECT * FROM prompt") == []


async def test_what_discord_is_too_busy_for_is_tried_again(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    message = await make(mira, general, "test/test")
    house.discord.faults.status("DELETE /channels/*/messages/*", 503, times=None)
    question = await answered(mira, general, "privacy delete")
    ask = await mira.click(question, button(question, ERASE_ALL))
    told_how_far = await ask.followup()
    await general.signal.until(
        lambda: True if "too busy for 1" in told_how_far.text else None,
        timeout=60,
        complain=lambda: told_how_far.text,
    )
    assert not message.deleted
    house.discord.faults.clear()
    house.bot.services.remover.begin()
    await general.signal.until(
        lambda: True if "Deleted **1 of 1**" in told_how_far.text else None,
        timeout=15,
        complain=lambda: told_how_far.text,
    )
    assert message.deleted


async def test_a_restart_in_the_middle_goes_on_where_it_was(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    shown = [await make(mira, general, "test/test") for _ in range(4)]
    gate = house.discord.faults.hold("DELETE /channels/*/messages/*")
    question = await answered(mira, general, "privacy delete")
    ask = await mira.click(question, button(question, ERASE_ALL))
    await gate.reached()
    await house.kill_bot()
    gate.open()
    house.clock.advance(3 * 60_000)  # the lease of the one that died
    await house.start_bot()
    text = (await removed(general, ask)).text
    assert "Deleted **4 of 4** messages" in text
    assert all(message.deleted for message in shown)
