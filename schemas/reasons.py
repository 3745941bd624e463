"""Why something did not go the whole way: closed lists, so that every drop can be counted from zero."""

from enum import StrEnum


class RefusalReason(StrEnum):
    """Legal input that the connector does not take. Counted, never stored."""

    NOT_WATCHED = "not_watched"  # no watch can match it (coarse admission)
    IMPLAUSIBLE_TIME = "implausible_time"  # a date before 2005 or in the future
    DUPLICATE = "duplicate"  # the same file holds the same id twice
    NO_TEXT = "no_text"  # a post of pictures only: nothing to listen to


class DeadLetterReason(StrEnum):
    """Input or record that could not be used. Kept in `dead-letters`, to be shown and retried."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    NOT_A_ROW = "not_a_row"  # a CSV line with another number of columns
    INVALID_FIELD = "invalid_field"  # a field is missing or has the wrong type or value
    TEXT_TOO_LONG = "text_too_long"
    NOT_A_RECORD = "not_a_record"  # bytes in one of our topics that are no record of it
    REJECTED_BY_INDEX = "rejected_by_index"  # Elasticsearch refuses the document whatever we do
