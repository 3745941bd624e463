"""One process that owns the embedded servers and the roles: starts them, restarts the dead, stops all in order.

Owns: child processes, their logs, the lock on the data folder, the run state that `nabiz status` reads.

Deliberately unaware of: what the roles do.
"""
