"""Mapping: a native record into canonical events. Pure functions that read like the tables in the README."""
