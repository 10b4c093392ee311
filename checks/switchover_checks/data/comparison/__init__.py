"""The same data on two sides: as bytes where both sides can write them alike, value by value where they cannot."""
