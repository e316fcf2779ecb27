"""The language that agencies and hub share: events, their schemas, the sealed record, the log's tree. Knows nobody."""
