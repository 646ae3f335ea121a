# Everything is in tools/dev.py, so that Windows has it without make: `py tools/dev.py run`.
# PYTHON chooses the interpreter, and ARGS is passed on: `make test ARGS="-k quota"`.

PYTHON ?= python3
ARGS ?=
COMMANDS := run test lint bench format lock screenshots clean help

.DEFAULT_GOAL := help
.PHONY: $(COMMANDS)

$(COMMANDS):
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name yours, for example make $@ PYTHON=python3.12." >&2; exit 1; }
	@exec "$(PYTHON)" tools/dev.py $@ $(ARGS)
