"""tools/dev.py: what it says when it cannot work, and when it installs what."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import dev

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "dev.py"
LOCKS = (dev.RUNTIME_LOCK, dev.POSTGRES_LOCK, dev.DEV_LOCK)

# A bot that stands in for the real one: it says how it was started, and waits for the end.
WAITING_BOT = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print("started", *sys.argv[1:], flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else, to be copied: making one takes much longer."""
    made = tmp_path_factory.mktemp("made") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real script, a waiting bot, and locks that need no network."""
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").touch()
    (tmp_path / "bot" / "__main__.py").write_text(WAITING_BOT)
    for lock in LOCKS:
        (tmp_path / lock).write_text("# nothing\n")
    return tmp_path


@pytest.fixture
def made_project(project: Path, environment: Path) -> Path:
    """The project with an environment that somebody has made already."""
    shutil.copytree(environment, project / ".venv", symlinks=True)
    return project


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "tools/dev.py", *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project)},
    )


def run_until_started(project: Path, *arguments: str) -> tuple[list[str], int]:
    """Run a command until the bot says it started, press Ctrl-C, return the lines and exit code."""
    lines = []
    with start(project, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("started"):
                process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    assert not errors
    return lines, process.returncode


def pretend(
    code: str, *arguments: str, path: str = "/nowhere", script: Path = SCRIPT
) -> subprocess.CompletedProcess[str]:
    """Run the script after `code` changed what the interpreter looks like."""
    program = f"import runpy, sys\n{code}\nsys.argv = {['dev.py', *arguments]!r}\n"
    program += f"runpy.run_path({str(script)!r}, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PATH": path},
    )


def test_the_command_for_screenshots_finds_what_it_is_made_of(made_project: Path) -> None:
    script = made_project / "tools" / "screenshots.py"
    script.write_text("import bot\nprint('found', bot.__name__)\n")
    with start(made_project, "screenshots") as process:
        output, errors = process.communicate(timeout=120)
    assert (output.splitlines()[-1], process.returncode) == ("found bot", 0), errors


def test_the_script_parses_on_a_python_that_is_far_too_old() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_python_that_is_too_old_says_so_in_one_sentence_with_the_remedy() -> None:
    code = "import pathlib; sys.version_info = (3, 8, 10); pathlib.Path.exists = lambda self: False"
    answer = pretend(code, "run")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "3.11 or newer and this is Python 3.8" in answer.stderr
    assert "make run PYTHON=python3.12" in answer.stderr


def test_a_python_that_is_too_old_hands_over_to_a_newer_one_on_the_path(tmp_path: Path) -> None:
    newer = tmp_path / "python3.13"
    newer.symlink_to(sys.executable)
    shim = tmp_path / "python3.14"  # what a version manager puts there for one it has not installed
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    code = "sys.version_info = (3, 8, 10); import pathlib; e = pathlib.Path.exists\n"
    code += (
        f"pathlib.Path.exists = lambda self: str(self).startswith({str(tmp_path)!r}) and e(self)"
    )
    answer = pretend(code, "help", path=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert "Start the bot" in answer.stdout


def test_a_python_without_venv_names_the_package_that_is_missing(project: Path) -> None:
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'ensurepip' else find(name, *a)"
    )
    answer = pretend(code, "run", script=project / "tools" / "dev.py")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "apt install python3-venv" in answer.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_says_in_one_sentence_that_there_is_no_such_python() -> None:
    answer = subprocess.run(
        ["make", "run", "PYTHON=python9"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "There is no python9 here: install Python 3.11 or newer" in answer.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_offers_exactly_the_commands_of_the_script() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^COMMANDS := (.*)$", makefile, flags=re.MULTILINE)
    assert found is not None
    assert found[1].split() == list(dev.COMMANDS)


def test_an_unknown_command_names_the_known_ones() -> None:
    answer = pretend("", "fly")
    assert answer.returncode == 1
    assert "'fly'; there are: run, test, lint" in answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
def test_the_first_start_makes_the_environment_and_the_second_starts_at_once(
    project: Path,
) -> None:
    first, first_code = run_until_started(project, "run", "sandbox")
    second, second_code = run_until_started(project, "run", "sandbox")

    assert [line.split()[0] for line in first] == ["Making", "Installing", "started"]
    assert second == ["started sandbox"]
    assert (first_code, second_code) == (0, 0)

    # A changed lock is installed; a changed lock that only tests use is no reason to.
    (project / dev.DEV_LOCK).write_text("# changed\n")
    assert run_until_started(project, "run")[0] == ["started"]
    (project / dev.RUNTIME_LOCK).write_text("# changed\n")
    third, _ = run_until_started(project, "run")
    assert [line.split()[0] for line in third] == ["Installing", "started"]

    # A package that is not the one that was locked stops it, and leaves nothing that looks whole.
    (project / "thing-1.0-py3-none-any.whl").write_bytes(b"another thing")
    (project / dev.RUNTIME_LOCK).write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    with start(project, "run") as process:
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "HASHES" in errors
    assert errors.splitlines()[-1].startswith("Installing the packages of requirements.lock failed")
    assert not (project / ".venv" / ".easel-stamp.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
def test_a_benchmark_has_the_driver_of_postgresql_whatever_was_run_before(
    made_project: Path,
) -> None:
    (made_project / "benchmarks").mkdir()
    (made_project / "benchmarks" / "__init__.py").touch()
    (made_project / "benchmarks" / "__main__.py").write_text(WAITING_BOT)
    assert run_until_started(made_project, "run")[0][-1] == "started"
    lines, _ = run_until_started(made_project, "bench", "--quick")
    assert [line.split(" into ")[0] for line in lines] == [
        "Installing the packages of requirements-postgres.lock",
        "started --quick",
    ]


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> dev.Venv:
    """An environment with an empty pip, which is all that is looked at."""
    root = tmp_path_factory.mktemp("whole")
    made = dev.Venv(root / ".venv", root)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.place)], check=True)
    (next(made.place.glob("**/site-packages")) / "pip.py").touch()
    return made


def test_an_environment_without_a_stamp_is_used_as_it_is(venv: dev.Venv) -> None:
    venv.stamp.unlink(missing_ok=True)
    assert venv.usable()


@pytest.mark.parametrize(
    ("stamp", "usable"),
    [
        ('{"place": "HERE", "locks": {}}', True),
        ('{"place": "HERE", "installing": "requirements.lock"}', False),
        ('{"place": "/elsewhere/.venv", "locks": {}}', False),
        ("{half a st", True),
        ("[]", True),
    ],
)
def test_an_environment_that_was_moved_or_half_installed_is_made_anew(
    venv: dev.Venv, stamp: str, *, usable: bool
) -> None:
    venv.stamp.write_text(stamp.replace("HERE", str(venv.place)))
    assert venv.usable() is usable


def test_an_environment_without_pip_or_interpreter_is_made_anew(tmp_path: Path) -> None:
    bare = dev.Venv(tmp_path / ".venv", tmp_path)
    assert not bare.usable()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare.place)], check=True)
    assert not bare.usable()


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    other = dev.Venv(tmp_path / ".venv", tmp_path)
    other_python = Path(other.python)
    other_python.parent.mkdir(parents=True)
    other_python.write_text("#!/bin/sh\necho 3 9 True\n")
    other_python.chmod(0o755)
    assert not other.usable()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
def test_ctrl_c_while_it_installs_ends_without_a_traceback(project: Path) -> None:
    with start(project, "run") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Making")
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    assert process.returncode == 130
    assert errors.split() == ["Stopped."]


def test_the_suite_uses_the_cores_there_are_but_not_a_hundred() -> None:
    assert dev.whole_suite(1) == []
    assert dev.whole_suite(2)[:2] == ["-n", "2"]
    assert dev.whole_suite(100)[:2] == ["-n", "8"]


@pytest.mark.parametrize(
    ("environ", "file", "wanted"),
    [
        ({}, None, False),
        ({}, "DATABASE_URL=sqlite:///data/bot.db", False),
        ({}, "# DATABASE_URL=postgresql://old/bot", False),
        ({}, 'SECRET_KEY=x\nexport DATABASE_URL = "postgresql://me@db/bot"', True),
        ({"DATABASE_URL": "postgres:///bot"}, None, True),
        ({"DATABASE_URL": "sqlite:///data/bot.db"}, "DATABASE_URL=postgresql://db/bot", False),
    ],
)
def test_postgresqls_driver_is_installed_for_those_who_set_it(
    tmp_path: Path, environ: dict[str, str], file: str | None, wanted: bool
) -> None:
    if file is not None:
        (tmp_path / ".env").write_text(file)
    assert dev.wants_postgres(tmp_path, environ) == wanted


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_an_environment_behind_a_link_is_used_but_never_emptied(
    venv: dev.Venv, tmp_path: Path
) -> None:
    link = tmp_path / "elsewhere" / ".venv"
    link.parent.mkdir()
    link.symlink_to(venv.place)
    venv.stamp.write_text(f'{{"place": "{venv.place}", "installing": "requirements.lock"}}')
    linked = dev.Venv(link, tmp_path)

    with pytest.raises(SystemExit, match="delete the link"):
        linked.ensure_made()
    assert Path(venv.python).exists()
