"""The terminal user interface: draws Snapshots, sends intents. The only package that imports textual."""
