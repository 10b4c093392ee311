"""What a person may do with a run, a module for each part of it. The engine offers it all."""
