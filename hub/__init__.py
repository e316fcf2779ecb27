"""The hub: verifies, appends and rebuilds what agencies share about a child, and discloses it lawfully."""
