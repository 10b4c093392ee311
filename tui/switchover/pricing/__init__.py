"""Prices, units, schedules and options: what something costs a month, exact until it is shown. Knows no plan."""
