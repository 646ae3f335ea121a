"""A local Discord over real sockets."""
