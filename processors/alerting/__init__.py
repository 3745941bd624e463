"""From signals to alerts and to the messages that people get: the pure fold behind the role `alert`.

Owns: when an alert opens, rises and ends, which on-call list hears of it, and what the message says in Turkish and
English. A function of the records in `signals` and of the settings alone.

Deliberately unaware of: Kafka, channels and their protocols, retries, when a rise is unusual (processors.spikes).
"""
