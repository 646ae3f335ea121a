"""The one script behind `make run`, `make test` and the rest; on Windows `py tools/dev.py run`.

It owns the virtual environment `.venv`: makes it, installs the locked packages into it when the
lock changed, mends it after an interruption, and hands over to a program inside it. What the bot
does is `bot/`'s business, and what tests and linters check stands in pyproject.toml.

It needs nothing but the standard library, and every line parses on Python 3.6, so that a Python
that is too old can still say so.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
NEWEST_TRIED = 14


def venv_python(venv: Path) -> str:
    """Return the path of the interpreter inside a virtual environment."""
    return str(venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python")


def become(arguments: "list[str]") -> NoReturn:
    """Replace this process by another program; on Windows, run it and leave with its exit code."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(arguments[0], arguments)  # noqa: S606 - there is no shell, on purpose
    child = subprocess.Popen(arguments)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:  # the child had the same Ctrl-C, and decides when it is done
            continue


def look_for_newer_python() -> str:
    """Return the path of a Python that is new enough, or an empty text."""
    names = [f"python3.{minor}" for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1)]
    # Version managers put a `python3.12` on the path that only says it is not installed.
    check = f"import sys; sys.exit(sys.version_info[:2] < {OLDEST})"
    for candidate in [venv_python(VENV), *[shutil.which(name) for name in names]]:
        if candidate and Path(candidate).exists():
            quiet = subprocess.DEVNULL
            if subprocess.call([candidate, "-c", check], stdout=quiet, stderr=quiet) == 0:
                return candidate
    return ""


if sys.version_info[:2] < OLDEST:
    newer_python = look_for_newer_python()
    if newer_python:
        become([newer_python, str(Path(__file__).resolve()), *sys.argv[1:]])
    sys.exit(
        "Easel needs Python {}.{} or newer and this is Python {}.{}: install a newer one (from "
        "python.org, or your system's packages) and name it, for example "
        "`make run PYTHON=python3.12`.".format(*OLDEST, *sys.version_info[:2])
    )
# From here on Python is new enough.

RUNTIME_LOCK = "requirements.lock"
POSTGRES_LOCK = "requirements-postgres.lock"
DEV_LOCK = "requirements-dev.lock"
HOLDS = {
    RUNTIME_LOCK: (RUNTIME_LOCK,),
    POSTGRES_LOCK: (RUNTIME_LOCK, POSTGRES_LOCK),
    DEV_LOCK: (RUNTIME_LOCK, POSTGRES_LOCK, DEV_LOCK),
}
CODE = ("bot", "cogs", "sandbox", "benchmarks", "tests", "tools")
LONGEST_FILE = 500
MOST_TEST_WORKERS = 8
CACHES = (
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "test-results",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command named first; the rest of the arguments are for the program it starts."""
    name, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    command = COMMANDS.get(name)
    if command is None:
        sys.exit(f"There is no command {name!r}; there are: {', '.join(COMMANDS)}.")
    signal.signal(signal.SIGTERM, end_by_signal)
    try:
        return command(rest)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


class Venv:
    """The virtual environment in `place`, and the stamp in it that says what was installed.

    The stamp is a JSON object: `place` (a moved environment has wrong paths in it) and `locks` (the
    SHA-256 of each lock file that is installed). While an installation runs it has `installing`
    instead of `locks`: an interrupted one may have left half a package, which pip takes for a whole
    one, so the environment is then made anew.
    """

    def __init__(self, place: Path, root: Path) -> None:
        # Through a link, since several checkouts may share one environment.
        self.place = place.resolve()
        self.is_shared = place.is_symlink()
        self.root = root
        self.python = venv_python(self.place)
        self.stamp = self.place / ".easel-stamp.json"

    def ensure(self, lock: str) -> None:
        """Have exactly the packages of `lock` installed; does nothing when they are already.

        A lock may hold all of another (`HOLDS`), so installing it satisfies both.
        """
        self.ensure_made()
        installed = self._read_stamp().get("locks")
        if isinstance(installed, dict) and installed.get(lock) == self._digest(lock):
            return
        print(
            f"Installing the packages of {lock} into {self.place.name} (needed once)...", flush=True
        )
        self._write_stamp({"installing": lock})
        pip = [*self.pip(), "install", "-qq", "--require-hashes", "-r", str(self.root / lock)]
        code = uninterrupted(pip, env=pip_environment())
        if code:
            self.stamp.unlink(missing_ok=True)
            sys.exit(
                f"Installing the packages of {lock} failed: read what pip says above, check the "
                "network connection, and run the same command again."
            )
        self._write_stamp({"locks": {name: self._digest(name) for name in HOLDS[lock]}})

    def ensure_made(self) -> None:
        """Have a working environment, whatever is installed in it."""
        if not self.usable():
            self._make()

    def pip(self) -> list[str]:
        """Return the start of a pip command line."""
        return [self.python, "-m", "pip", "--disable-pip-version-check", "--no-input"]

    def usable(self) -> bool:
        """Whether the environment is whole, stands where it was made, and has this Python."""
        stamp = self._read_stamp()
        if "installing" in stamp or stamp.get("place", str(self.place)) != str(self.place):
            return False
        check = "import sys, importlib.util as u; print(*sys.version_info[:2], u.find_spec('pip'))"
        try:
            answer = subprocess.run(
                [self.python, "-c", check], capture_output=True, text=True, check=False
            )
        except OSError:
            return False
        words = answer.stdout.split()
        return words[:2] == [*map(str, sys.version_info[:2])] and words[2:] != ["None"]

    def _make(self) -> None:
        missing = missing_for_venv()
        if missing:
            sys.exit(missing)
        if self.is_shared:
            # Emptied it would be for whoever else uses it.
            sys.exit(
                f"The link .venv leads to {self.place}, which can't be used from here: delete the "
                "link, and run the same command again."
            )
        version = "{}.{}".format(*sys.version_info[:2])
        again = " anew" if self.place.exists() else ""
        print(f"Making {self.place.name}{again} with Python {version}...", flush=True)
        # This interpreter may be the one inside the environment, which is about to be emptied.
        base = getattr(sys, "_base_executable", None) or sys.executable
        if uninterrupted([base, "-m", "venv", "--clear", str(self.place)]):
            sys.exit(
                f"Making {self.place} failed: delete that folder and run the same command again."
            )

    def _digest(self, lock: str) -> str:
        return hashlib.sha256((self.root / lock).read_bytes()).hexdigest()

    def _read_stamp(self) -> dict[str, object]:
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _write_stamp(self, content: dict[str, object]) -> None:
        self.stamp.write_text(json.dumps({"place": str(self.place), **content}), encoding="utf-8")


def missing_for_venv() -> str:
    """Return the sentence that says what no environment can be made without, or an empty text."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return ""
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    return (
        "This Python cannot make virtual environments: install its venv module (on Debian and "
        f"Ubuntu `sudo apt install python3-venv`, or `{package}`) and run the same command again."
    )


def pip_environment() -> dict[str, str]:
    """Return the environment for pip: its settings stay, save what points it out of `.venv`."""
    astray = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


def the_venv() -> Venv:
    """Return the project's environment."""
    return Venv(VENV, ROOT)


def uninterrupted(arguments: list[str], *, env: dict[str, str] | None = None) -> int:
    """Run a program that would answer Ctrl-C with a page of traceback: end it for the user."""
    own_group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    child = subprocess.Popen(
        arguments, env=env, start_new_session=os.name != "nt", creationflags=own_group
    )
    try:
        return child.wait()
    except BaseException:
        if sys.platform == "win32":
            child.terminate()
        else:
            os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise


def end_by_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """Let a termination signal end the programs started here as well."""
    sys.exit(128 + number)


def in_venv(*arguments: str) -> int:
    """Run a Python command line inside the environment, at the top of the project."""
    return subprocess.call([the_venv().python, *arguments], cwd=ROOT)


def hand_over(*arguments: str) -> NoReturn:
    """Become a Python command line inside the environment, at the top of the project."""
    os.chdir(ROOT)
    become([the_venv().python, *arguments])


def run(arguments: list[str]) -> int:
    """Start the bot; without a DISCORD_TOKEN, the sandbox."""
    the_venv().ensure(POSTGRES_LOCK if wants_postgres(ROOT, os.environ) else RUNTIME_LOCK)
    hand_over("-m", "bot", *arguments)


def wants_postgres(root: Path, environ: Mapping[str, str]) -> bool:
    """Whether DATABASE_URL, in the environment or else in `.env`, names PostgreSQL."""
    url = environ.get("DATABASE_URL", "")
    env_file = root / ".env"
    if not url and env_file.is_file():
        for line in env_file.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            if name.strip() == "DATABASE_URL":
                url = value.strip().strip("\"'")
    return url.startswith(("postgresql:", "postgres:"))


def test(arguments: list[str]) -> int:
    """Run the whole test suite; arguments go to pytest instead of the usual ones."""
    the_venv().ensure(DEV_LOCK)
    hand_over("-m", "pytest", *(arguments or whole_suite(os.cpu_count() or 1)))


def whole_suite(cores: int) -> list[str]:
    """Return pytest's arguments for the whole suite: spread over the cores, none idle at the end.

    Each worker begins with a stretch of files of its own, so that what tests share is made about
    once, and who is done takes half of what another one has left. File by file, the few tests that
    take longest would come last, one after the other on one worker: files go by how many tests
    they have.
    """
    workers = min(cores, MOST_TEST_WORKERS)
    return [] if workers == 1 else ["-n", str(workers), "--dist", "worksteal"]


def lint(_arguments: list[str]) -> int:
    """Run every check that is no test; all of them, even when an early one fails."""
    the_venv().ensure(DEV_LOCK)
    imports = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    checks: dict[str, Callable[[], int]] = {
        "ruff check": lambda: in_venv("-m", "ruff", "check", "."),
        "ruff format --check": lambda: in_venv("-m", "ruff", "format", "--check", "."),
        "mypy --strict": lambda: in_venv("-m", "mypy"),
        "import rules": lambda: in_venv("-c", imports),
        "file length": lambda: check_file_length(ROOT),
    }
    failed = []
    for name, check in checks.items():
        print(f"== {name}", flush=True)
        if check():
            failed.append(name)
    print(f"Lint failed: {', '.join(failed)}." if failed else "Lint passed.", flush=True)
    return 1 if failed else 0


def long_files(root: Path) -> list[str]:
    """Return a line for each Python or JavaScript file with more than `LONGEST_FILE` lines."""
    found = []
    for path in sorted(path for folder in CODE for path in (root / folder).rglob("*")):
        if path.suffix in {".py", ".js"} and path.is_file():
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST_FILE:
                found.append(
                    f"{path.relative_to(root).as_posix()} has {lines} lines; {LONGEST_FILE} at most"
                )
    return found


def check_file_length(root: Path) -> int:
    """Print the files that are too long; 1 if there is one."""
    found = long_files(root)
    print("\n".join(found) or f"No file has more than {LONGEST_FILE} lines.", flush=True)
    return 1 if found else 0


def reformat(_arguments: list[str]) -> int:
    """Mend what ruff can mend, and format the code."""
    the_venv().ensure(DEV_LOCK)
    return in_venv("-m", "ruff", "check", "--fix-only", ".") or in_venv("-m", "ruff", "format", ".")


def bench(arguments: list[str]) -> int:
    """Measure the speed; prints a table and writes benchmarks/results.json."""
    # PostgreSQL is measured wherever a server is installed, so its driver has to be.
    the_venv().ensure(POSTGRES_LOCK)
    hand_over("-m", "benchmarks", *arguments)


def screenshots(arguments: list[str]) -> int:
    """Take the README's pictures anew (needs Chromium)."""
    the_venv().ensure(DEV_LOCK)
    hand_over("-m", "tools.screenshots", *arguments)


def lock(arguments: list[str]) -> int:
    """Write the lock files from pyproject.toml; `--upgrade` takes newer versions.

    Each takes the versions of the one before, so that tests run on what users get.
    """
    environment = the_venv()
    environment.ensure_made()
    oldest = ".".join(map(str, OLDEST))
    if in_venv("-c", "import uv") and subprocess.call(
        [*environment.pip(), "install", "--quiet", "uv"]
    ):
        return 1
    common = ["-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"]
    common += ["--python-version", oldest, "--generate-hashes", "--no-annotate"]
    common += [
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--custom-compile-command",
        "make lock",
    ]
    postgres = ["--extra", "postgres", "-c", RUNTIME_LOCK, "-o", POSTGRES_LOCK]
    development = ["--group", "dev", "-c", POSTGRES_LOCK, "-o", DEV_LOCK]
    return (
        in_venv(*common, *arguments, "-o", RUNTIME_LOCK)
        or in_venv(*common, *arguments, *postgres)
        or in_venv(*common, *arguments, *development)
    )


def clean(_arguments: list[str]) -> int:
    """Delete the environment and every cache; never data/ or .env."""
    for name in (".venv", *CACHES):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in CODE:
        for cache in list((ROOT / folder).rglob("__pycache__")):
            shutil.rmtree(cache, ignore_errors=True)
    return 0


def show_help(_arguments: list[str]) -> int:
    """Print this list."""
    print("Easel: make COMMAND, or python tools/dev.py COMMAND\n")
    for name, command in COMMANDS.items():
        print(f"  {name:<12} {(command.__doc__ or '').splitlines()[0]}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "bench": bench,
    "format": reformat,
    "lock": lock,
    "screenshots": screenshots,
    "clean": clean,
    "help": show_help,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
