"""The bot's own web server: health, and the mask painter. Without `HTTP_PORT` there is none."""

from bot.web.painter import Explain, PainterPages
from bot.web.server import Health, serve

__all__ = ["Explain", "Health", "PainterPages", "serve"]
