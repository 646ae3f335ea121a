"""The image and its compose file, as far as they can be judged without a container engine."""

import ast
import json
import re
from pathlib import Path

from bot.settings import EXIT_CONFIG, SPECS

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SETTINGS = {spec.name for spec in SPECS}


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, flags=re.MULTILINE)


def copied_from_here() -> set[str]:
    """Return the paths of the project that the image copies."""
    copies = [line.split() for line in instructions("COPY") if "--from" not in line]
    return {source for *sources, _ in copies for source in sources}


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    sent = set(re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE))
    assert copied_from_here() == sent
    assert all((ROOT / source).exists() for source in sent)


def test_no_secret_and_no_data_can_get_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not {".", ".env", "data"} & copied_from_here()
    assert not re.search(r"DISCORD_TOKEN|API_KEY|SECRET_KEY", DOCKERFILE)


def test_packages_come_from_the_lock_with_their_hashes() -> None:
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "-r requirements-postgres.lock" in installs[0]


def test_the_image_has_the_fonts_that_the_checks_have() -> None:
    fonts = {"fonts-noto-color-emoji", "fonts-noto-cjk"}
    (install,) = [line for line in instructions("RUN") if "apt-get install" in line]
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert fonts == {word for word in install.split() if word.startswith("fonts-")}
    assert fonts <= set(re.findall(r"fonts-[a-z-]+", checks))
    assert "/var/lib/apt/lists" in install


def test_the_bot_runs_as_an_ordinary_user_who_owns_nothing_but_the_data() -> None:
    user = instructions("USER")[-1]
    assert int(user.partition(":")[0]) > 0
    assert f"--uid {user.partition(':')[0]}" in DOCKERFILE
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nCOPY ")


def test_the_health_check_is_python_that_asks_the_bots_own_address() -> None:
    program, option, code = json.loads(DOCKERFILE.split("HEALTHCHECK")[1].split("CMD", 2)[1])
    assert (program, option) == ("python", "-c")
    ast.parse(code)
    assert "/healthz" in code


def test_compose_has_the_images_health_check_for_engines_that_drop_it() -> None:
    (check,) = instructions("HEALTHCHECK")
    options, _, command = check.partition(" CMD ")
    (block,) = re.findall(r"^    healthcheck:\n((?: {6}\S.*\n)+)", COMPOSE, flags=re.MULTILINE)
    asked = dict(re.findall(r"^ {6}([a-z_]+): (.*)$", block, flags=re.MULTILINE))
    assert json.loads(asked.pop("test")) == ["CMD", *json.loads(command)]
    assert asked == {
        name.replace("-", "_"): value for name, value in re.findall(r"--([a-z-]+)=(\S+)", options)
    }


def test_every_setting_that_the_container_makes_is_a_setting_of_the_bot() -> None:
    in_image = set(re.findall(r"([A-Z_]+)=\"", " ".join(instructions("ENV"))))
    in_compose = set(re.findall(r"^ +([A-Z_]+): ", COMPOSE, flags=re.MULTILINE))
    assert in_compose
    assert in_compose <= SETTINGS
    assert in_image - {"PATH"} <= SETTINGS
    assert in_compose <= in_image


def test_stopping_waits_as_long_as_a_paid_picture_may_take() -> None:
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    found = re.search(r"stop_grace_period: (\d+)m", COMPOSE)
    assert found is not None
    assert int(found[1]) > 10


def test_that_a_wrong_setting_is_tried_for_ever_is_told_to_the_operator() -> None:
    operators = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    docker = operators.partition("## Docker")[2].partition("\n## ")[0]
    assert f"exit code {EXIT_CONFIG}" in docker
    assert "docker compose logs" in docker


def test_the_container_has_no_more_rights_than_it_needs() -> None:
    for line in ("read_only: true", "no-new-privileges:true", "init: true", "restart: unless-"):
        assert line in COMPOSE
    assert re.search(r"cap_drop:\n +- ALL\n", COMPOSE)
    published = re.findall(r"^ +- \"(.*:\d+)\"$", COMPOSE, flags=re.MULTILINE)
    assert published == ["127.0.0.1:8000:8000"]
