"""What the demo documents say and how each format is written; standard library only."""
