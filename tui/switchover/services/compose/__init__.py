"""Compose projects and services, built on the containers of Docker."""
