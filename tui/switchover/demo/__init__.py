"""The demo: a small migration of real processes on this machine, to learn on and to practise triage with.

Its parts, from the ground up. `layout` knows what lies where, `store` the two databases. `service` and `door` are the
processes; `processes` starts and ends them. `do` holds the plan's commands, `faults` breaks things. `lay` lays it all
down, `command` is the verb. The processes import the standard library only, so that they start at once.
"""
