"""Numbers of the past on disk: every point for two days, a minute's mean, least and most for thirty."""
