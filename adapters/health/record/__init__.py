"""Views over parsed records: where a thing stands in its format, and nothing about what it means."""
