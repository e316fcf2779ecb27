"""The doors over HTTP: one file per resource, who may call what in one table, problems in another; no rules here."""
