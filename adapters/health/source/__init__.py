"""Reading: bytes of a health system's export into native records. Judges nothing."""
