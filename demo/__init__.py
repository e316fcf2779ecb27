"""The demo: one invented family's story, played through the real doors on an embedded hub, in order, under one clock."""
