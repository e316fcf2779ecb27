"""Bytes of a police export to native records, one module a format. Parsed, not judged."""
