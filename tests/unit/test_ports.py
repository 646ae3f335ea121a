"""Which port is suggested in place of one that can't be used."""

import socket

import pytest

from bot.app import other_port, reason


@pytest.mark.parametrize(
    ("port", "suggested"),
    [(8080, 8081), (1024, 1025), (80, 8080), (65_534, 65_535), (65_535, 8080)],
)
def test_the_port_that_is_suggested_exists_and_needs_no_special_rights(
    port: int, suggested: int
) -> None:
    assert other_port(port) == suggested


def test_a_host_without_an_address_is_told_in_words() -> None:
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert reason(error) == "Name or service not known"
