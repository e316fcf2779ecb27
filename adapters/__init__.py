"""The agencies' side: each adapter reads one agency's own files and says in the shared language what they mean."""
