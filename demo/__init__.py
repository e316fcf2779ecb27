"""The demo: one invented family's story, played through the real doors on an embedded hub, in order, with one clock."""
