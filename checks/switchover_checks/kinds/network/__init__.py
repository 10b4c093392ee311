"""Kinds that speak a protocol of the network: names, certificates, mail, shells."""
