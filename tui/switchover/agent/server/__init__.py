"""Serves clients: sockets, sessions, the methods that they may call, who drives."""
