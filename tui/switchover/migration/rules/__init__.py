"""What a run allows: confirmations, waivers, rollback paths, what comes next. Pure."""
