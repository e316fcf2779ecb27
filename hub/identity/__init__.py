"""Which child an event is about: dated rules, the identity stream, provisional children, and what people settle."""
