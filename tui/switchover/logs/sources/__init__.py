"""Where lines come from. Each kind is a module with `open_source(spec)`; `make` finds it by the kind's name."""
