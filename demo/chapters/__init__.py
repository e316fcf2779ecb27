"""The story's chapters in order; each lists its steps with the line that says what happens."""
