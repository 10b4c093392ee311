"""Rules of alerts: when each fires, with which others it is told, who is silenced."""
