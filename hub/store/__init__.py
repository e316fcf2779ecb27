"""The record: facts appended for ever, bodies encrypted under keys that are kept apart."""
