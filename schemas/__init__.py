"""The contracts: records of the topics, documents of the index, and the table of topics.

Owns: the shape of everything that crosses a process border, the closed lists of reasons, and what is exported from
them (JSON Schema under ``schemas/json``). Imports nothing of ours.

Deliberately unaware of: Kafka clients, Elasticsearch clients, how a record is produced or used.
"""
