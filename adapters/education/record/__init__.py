"""Typed views of a school's parsed records, so that the mapping reads like a table. No I/O, no meaning."""
