"""Containers of Docker daemons."""
