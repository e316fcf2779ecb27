"""What the record means: pure functions and frozen data, standard library only; no clock, no log, no I/O."""
