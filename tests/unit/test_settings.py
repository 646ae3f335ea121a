from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.settings import SPECS, Settings, SettingsError

ROOT = Path(__file__).parents[2]


def test_an_empty_environment_is_usable() -> None:
    settings = Settings.from_env({})
    assert settings.database_url == "sqlite:///data/bot.db"
    assert settings.default_model is None
    assert settings.http_port is None


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"SANDBOX_PORT": "many", "OPERATOR_IDS": "me", "LOG_FORMAT": "xml"})
    assert len(caught.value.faults) == 3
    assert "SANDBOX_PORT: 'many' is no whole number of at least 0." in caught.value.faults


def test_a_secret_is_never_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DISCORD_TOKEN": "hunter\n2"})
    assert "hunter" not in str(caught.value)
    settings = Settings.from_env({"DISCORD_TOKEN": "t0ken", "IMAGEROUTER_API_KEY": "k3y"})
    assert "t0ken" not in repr(settings)
    assert "k3y" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_TOKEN", "half a token\nand another half"),
        ("DISCORD_TOKEN", "tökén"),
        ("IMAGEROUTER_BASE_URL", "api.imagerouter.io"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("DATABASE_URL", "mysql://here"),
        ("SANDBOX_PORT", "65536"),
        ("SANDBOX_PORT", "-1"),
        ("SANDBOX_PORT", "٣"),
        ("MEMBER_JOBS", "0"),
        ("UNPRICED_MODEL_CEILING_USD", "free"),
        ("SANDBOX_REAL_IMAGEROUTER", "maybe"),
        ("SHARD_IDS", "0,1"),
        ("OPERATOR_IDS", "-12"),
        ("OPERATOR_IDS", "1" * 20),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})


@pytest.mark.parametrize(("value", "address"), [("off", ""), ("OFF", ""), ("", "https://")])
def test_popularity_can_be_done_without(value: str, address: str) -> None:
    url = Settings.from_env({"IMAGEROUTER_POPULAR_URL": value}).imagerouter_popular_url
    assert url[: len("https://")] == address


def test_a_shard_that_there_is_not_is_refused() -> None:
    assert Settings.from_env({"SHARD_IDS": "1", "SHARD_COUNT": "2"}).shard_ids == (1,)
    with pytest.raises(SettingsError, match="SHARD_COUNT=2 they go from 0 to 1"):
        Settings.from_env({"SHARD_IDS": "0,2", "SHARD_COUNT": "2"})


def test_lists_and_amounts_are_typed() -> None:
    settings = Settings.from_env(
        {"OPERATOR_IDS": "12, 34", "UNPRICED_MODEL_CEILING_USD": "0.30", "HTTP_PORT": "8000"}
    )
    assert settings.operator_ids == (12, 34)
    assert settings.unpriced_model_ceiling == 300_000
    assert settings.http_port == 8000


def test_the_example_file_has_every_setting_and_no_other() -> None:
    example = dotenv_values(ROOT / ".env.example")
    assert set(example) == {spec.name for spec in SPECS}
    Settings.from_env({name: value or "" for name, value in example.items()})
    assert not any(example[spec.name] for spec in SPECS if spec.secret)
    # Without it, the free model would answer everything with one fixed picture.
    assert example["DEFAULT_MODEL"] == "black-forest-labs/FLUX-1-schnell"
