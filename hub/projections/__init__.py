"""Read models: disposable, rebuilt from zero out of the record, each with its own position."""
