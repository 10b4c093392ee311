"""From the text of a plan to a frozen `LoadedPlan`, or every error at once."""
