"""The schools' adapter: Common Transfer Files and register exports into canonical events."""
