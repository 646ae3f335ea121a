"""The lock files: exact, hashed, free of any host, complete, and freely licensed."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tools import dev

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (dev.RUNTIME_LOCK, dev.POSTGRES_LOCK, dev.DEV_LOCK)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return canonical(found[0])


def locked(lock: str) -> dict[str, tuple[str, ...]]:
    """Return the versions of each package in a lock file: some Pythons may need another one."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = dict[str, tuple[str, ...]]()
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, flags=re.MULTILINE):
        found[name] = (*found.get(name, ()), version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_host_and_hashes_every_package(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", text)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == sum(map(len, locked(lock).values()))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_locks_hold_every_dependency_and_agree_with_each_other() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    runtime, development = locked(dev.RUNTIME_LOCK), locked(dev.DEV_LOCK)
    wanted = {requirement_name(each) for each in project["project"]["dependencies"]}
    wanted_too = {requirement_name(each) for each in project["dependency-groups"]["dev"]}
    assert wanted <= set(runtime)
    assert wanted | wanted_too <= set(development)
    postgres = locked(dev.POSTGRES_LOCK)
    extra = {
        requirement_name(each) for each in project["project"]["optional-dependencies"]["postgres"]
    }
    assert set(postgres) - set(runtime) == extra
    assert runtime.items() <= postgres.items() <= development.items()


def test_the_runtime_lock_serves_what_only_some_platforms_and_versions_need() -> None:
    text = (ROOT / dev.RUNTIME_LOCK).read_text(encoding="utf-8")
    assert re.search(r"^audioop-lts==\S+ ; python_full_version >= '3\.13'", text, re.MULTILINE)
    assert re.search(r"^tzdata==\S+ \\$", text, re.MULTILINE)


# Licences under which a package may be used and passed on together with MIT-licensed code.
FREE_LICENCE = re.compile(r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|MPL|ISC|Unlicense)\b")


MIT_TEXT = "Permission is hereby granted, free of charge, to any person obtaining a copy"

# What the lock holds for other systems and Pythons than this one; their licences were looked up.
ELSEWHERE = {
    "audioop-lts": "PSF",
    "colorama": "BSD",
    "typing-extensions": "PSF",
}


def licence(name: str) -> str:
    """Return what an installed package says of its licence."""
    about = metadata.metadata(name)
    classifiers = [each for each in about.get_all("Classifier", []) if "License ::" in each]
    said = [*about.get_all("License-Expression", []), *classifiers]
    said += [each.partition("\n")[0] for each in about.get_all("License", [])]
    if said:
        return "; ".join(said)
    for path in metadata.files(name) or []:
        if path.name.startswith("LICENSE") and MIT_TEXT in " ".join(path.read_text().split()):
            return "MIT, by its licence file"
    return ""


def test_every_locked_package_has_a_licence_that_goes_with_ours() -> None:
    installed = {canonical(each.metadata["Name"]) for each in metadata.distributions()}
    wanted = set(locked(dev.DEV_LOCK))
    said = {name: licence(name) for name in sorted(wanted & installed)}
    assert wanted - installed <= set(ELSEWHERE), "run `make test`, which installs the lock"
    assert not {name: text for name, text in said.items() if not FREE_LICENCE.search(text)}
