"""The documentation's own machinery: pages written from the code, and commands taken out of pages."""
