"""When a mention counts as having happened."""

from datetime import datetime, timedelta
from typing import Final

TRUSTED_AGE: Final = timedelta(minutes=10)


def event_time(published_at: datetime | None, observed_at: datetime) -> datetime:
    """The platform's stamp if it is at most ten minutes old when seen, otherwise the time of seeing.

    So a wrong clock, a slow feed or an old article cannot bend time.
    """
    if published_at is not None and timedelta(0) <= observed_at - published_at <= TRUSTED_AGE:
        return published_at
    return observed_at
