"""Real Apache Kafka on loopback, from its published Java artifacts: one node for development, three for faults."""
