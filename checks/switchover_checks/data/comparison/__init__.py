"""The same data on two sides: compared as bytes where both write them alike, else value by value."""
