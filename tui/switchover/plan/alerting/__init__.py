"""The language of alert rules: `metric("cpu") > 80% for 5m clear 75% keep 2m`."""
