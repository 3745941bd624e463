"""What the law asks for every day: keys that are old enough are destroyed, and with them who wrote what."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.day_keys import KEPT_DAYS
from pipeline.audit import Action, AuditLog, audit_file
from pipeline.secrets import day_keys

EVERY_SECS: Final = 3600.0


class Housekeeping:
    """Called often by the supervisor's loop; acts once an hour, and at the first call."""

    def __init__(self, data: Path, *, clock: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = day_keys(data)
        self._audit = AuditLog(audit_file(data), who="nabiz", clock=clock)
        self._clock, self._monotonic = clock, monotonic
        self._done_at: float | None = None

    def tend(self) -> bool:
        """Destroy expired keys; False, since the supervisor goes on. Raises `AuditBroken`: what is destroyed has to be on record first."""
        now = self._monotonic()
        if self._done_at is not None and now - self._done_at < EVERY_SECS:
            return False
        self._done_at = now
        today = self._clock().date()
        expired = self._keys.expired(today)
        if expired:
            self._audit.write(Action.KEY_DESTROYED, map(str, expired), f"kept for {KEPT_DAYS} days")
            for day in expired:
                self._keys.destroy(day)
        return False
