"""A real PostgreSQL in a folder: `python -m infra.postgres up DIR`. For development and tests, not for production."""
