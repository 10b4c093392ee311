"""The Migration tab: the wizard, its questions, rollback, output."""
