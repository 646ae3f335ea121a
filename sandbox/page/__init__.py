"""The web page in which one tries the bot without Discord: a chat client for the local Discord."""

from sandbox.page.server import PageServer

__all__ = ["PageServer"]
