"""From a school's files to native records: one module a format. Parses and trims; judges nothing."""
