"""Native records to canonical events: pure functions, one module a format."""
