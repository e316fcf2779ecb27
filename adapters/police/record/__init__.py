"""Typed views of what a source gave: which columns and members exist and what they are called."""
