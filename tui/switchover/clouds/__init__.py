"""Ways into AWS and Google Cloud for whoever needs one: who is logged in, bounded calls, errors in words."""
