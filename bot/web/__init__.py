"""The bot's own web server; without `HTTP_PORT` there is none."""

from bot.web.server import Health, serve

__all__ = ["Health", "serve"]
