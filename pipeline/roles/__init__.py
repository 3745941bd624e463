"""The roles, one module each: wiring between a topic, a processor and the next topic."""
