"""Real Kafka and real Elasticsearch on this machine, for demo, development and tests.

Owns how the two are built (`build`), which ports they take (`ports`), and what one of them is: its command line, its
environment, when it is ready (`embedded`). Deliberately unaware of topics, indices and roles, and of restarts: whoever
supervises starts the commands; `running` does so for a test.
"""
