"""The command line. Each command is thin: read the configuration, call what does the work, print it for a person or as JSON."""
