"""Kinds that ask who runs things: the providers of services, systemd, Compose, Kubernetes."""
