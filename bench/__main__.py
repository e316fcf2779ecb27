"""`python -m bench [NAME]`: one benchmark by its name; the spine when none is given."""

import sys
from importlib import import_module

NAMES = ("spine", "append", "consume", "ingest", "latency", "memory", "open_items", "rebuild")

words = sys.argv[1:]
name = words.pop(0) if words and not words[0].startswith("-") else "spine"
if name not in NAMES:
    sys.stderr.write(f"bench: there is no {name}; there are {', '.join(NAMES)}\n")
    sys.exit(2)
sys.exit(import_module(f"bench.{name}").main(words))
