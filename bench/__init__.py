"""Benchmarks: both sides of a ratio in one run, so that a busy machine slows both alike."""
