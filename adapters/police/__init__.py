"""The police adapter: reports of the JSON profile `pole-json/1` and forces' CSV exports into canonical events."""
