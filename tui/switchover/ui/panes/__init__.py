"""What fills the screen under each tab."""
