"""What values leave out of their `repr`: secrets, and pictures that would fill a log."""

import pytest
from msgspec import Struct
from msgspec.structs import replace

from bot.downloads import Fetched
from bot.imagerouter import Download, RemotePicture, Upload
from bot.images import Prepared
from bot.policy import ModelPolicy
from bot.requests import ReplyRoute
from bot.settings import Settings
from bot.storage import Output
from bot.web.assets import Asset

SECRET = "0123456789abcdef" * 2
SHOWN = "shown-to-all"
BYTES = SECRET.encode()


@pytest.mark.parametrize(
    "value",
    [
        Upload(SHOWN, "image/png", BYTES),
        RemotePicture(url=SHOWN, data=BYTES),
        Download(BYTES, SHOWN),
        Fetched(BYTES, SHOWN),
        Prepared(BYTES, SHOWN, "png", 1, 1, reencoded=False),
        Output(url=SHOWN, data=BYTES),
        Asset(BYTES, SHOWN, "etag"),
        ReplyRoute(71, SECRET, 1, 2, 3, 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_shows_all_but_what_must_not_stand_in_a_log(value: Struct) -> None:
    told = repr(value)
    assert SECRET not in told
    assert told.startswith(f"{type(value).__name__}(")
    assert "=..." in told
    assert SHOWN in told or "application_id=71" in told


def test_settings_show_no_secret_in_any_of_their_forms() -> None:
    settings = Settings.from_env(
        {
            "DISCORD_TOKEN": SECRET,
            "IMAGEROUTER_API_KEY": SECRET,
            "SECRET_KEY": SECRET,
            "DATABASE_URL": f"postgresql://easel:{SECRET}@127.0.0.1/easel",
            "DEFAULT_MODEL": SHOWN,
        }
    )
    assert SECRET not in repr(settings)
    assert SECRET not in repr(replace(settings, log_level="DEBUG"))
    assert SHOWN in repr(settings)


def test_what_follows_from_a_policy_is_no_part_of_what_it_shows_and_equals() -> None:
    policy = ModelPolicy(version=3)
    assert "version=3" in repr(policy)
    assert "object at" not in repr(policy)
    assert policy == ModelPolicy(version=3)
    assert hash(policy) == hash(ModelPolicy(version=3))
