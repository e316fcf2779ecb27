"""Moving, never meaning: what every adapter needs to carry an event to the hub. Knows only `schemas`."""
