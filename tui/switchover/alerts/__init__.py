"""Rules over checks: when they fire, whom they tell, when they remind."""
