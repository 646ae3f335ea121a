"""A local Discord, a local ImageRouter and a page to try the bot, all over real sockets."""
