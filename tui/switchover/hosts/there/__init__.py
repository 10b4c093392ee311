"""What runs on the other machine: Python 3.6, standard library only, sent over the line and kept nowhere."""
