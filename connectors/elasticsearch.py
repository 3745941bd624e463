"""Connection to Elasticsearch: settings, what its errors mean to us, patience while it is away, and its indices.

ElasticsearchUnreachable      wait: it does not answer, or takes nothing now
ElasticsearchRefused          stop: it answers, and our rights or its settings are wrong
    └ RequestRejected         put aside: the content of this request is at fault
"""

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, Elasticsearch, TransportError
from elasticsearch import ConnectionError as NoConnection
from elasticsearch import ConnectionTimeout as NoAnswer
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.secrets import SecretReference, resolve
from schemas.documents import MENTIONS_ALIAS, TOMBSTONE_MAPPINGS, TOMBSTONES_INDEX, mentions_template

log = logging.getLogger(__name__)

FIRST_WAIT_SECS: Final = 0.2
LONGEST_WAIT_SECS: Final = 30.0
BAD_REQUEST: Final = 400
TOO_LARGE: Final = 413
TOO_MANY_REQUESTS: Final = 429
# What a document can be guilty of. Other answers with status 400 (an index is closed, the cluster's limit of shards is
# reached) are no document's fault: putting posts aside for them would empty the index.
CONTENT_FAULTS: Final = frozenset(
    {
        "document_parsing_exception",
        "mapper_parsing_exception",
        "strict_dynamic_mapping_exception",
        "illegal_argument_exception",
        "action_request_validation_exception",
    }
)
_QUOTED_CONTENT: Final = re.compile(r" in document with id|[,.] ?Preview of|, all of which were skipped|\. Preview")

T = TypeVar("T")


class ElasticsearchUnreachable(Exception):
    """It does not answer or takes nothing at present; waiting helps."""


class ElasticsearchRefused(Exception):
    """It answers and refuses us: credentials, rights, or a setting of the cluster. Waiting does not help."""


class RequestRejected(ElasticsearchRefused):
    """A request is refused for what it holds; if it holds several documents, one of them is to blame."""


class ElasticsearchSettings(BaseModel):
    """Where Elasticsearch is and who we are there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urls: tuple[str, ...] = Field(
        default=("http://127.0.0.1:19200",), min_length=1, description="http(s)://host:port of one or more nodes of one cluster"
    )
    prefix: str = Field(
        default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$", description="before each index: one deployment = one institution"
    )
    replicas: int = Field(default=0, ge=0, description="further copies of each shard; 1 on a cluster")
    user: str | None = None
    password: SecretReference | None = None
    api_key: SecretReference | None = Field(default=None, description="encoded form, instead of user and password")
    ca_file: Path | None = Field(default=None, description="CA certificate of https:// nodes")
    request_timeout_secs: float = Field(default=30.0, gt=0, description="after this a request is tried again")

    @field_validator("urls")
    @classmethod
    def _urls_are_whole(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.port is None or parts.username:
                raise ValueError("an address is http://host:port or https://host:port; user and password have keys of their own")
        return urls

    @model_validator(mode="after")
    def _parts_fit(self) -> "ElasticsearchSettings":
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password come together")
        if self.api_key and self.user:
            raise ValueError("either api_key or user and password, not both")
        if self.ca_file and not all(url.startswith("https://") for url in self.urls):
            raise ValueError("ca_file needs urls that begin with https://")
        if self.prefix.startswith(f"{MENTIONS_ALIAS}-"):
            raise ValueError(f"a prefix must not begin with '{MENTIONS_ALIAS}-': it would fall into the indices without prefix")
        return self

    def with_prefix(self, prefix: str) -> "ElasticsearchSettings":
        """The same cluster, another namespace."""
        return self.model_copy(update={"prefix": prefix})

    def client(self) -> AsyncElasticsearch:
        """For roles; connects at the first request. The owner closes it."""
        return AsyncElasticsearch(**self._arguments())

    def sync_client(self) -> Elasticsearch:
        """For commands; connects at the first request. The owner closes it."""
        return Elasticsearch(**self._arguments())

    def _arguments(self) -> dict[str, Any]:
        # The client would write a line for each try while a server is away; `Patience` writes two for the whole outage.
        logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)
        arguments: dict[str, Any] = {
            "hosts": list(self.urls),
            "request_timeout": self.request_timeout_secs,
            "retry_on_timeout": True,
            "max_retries": len(self.urls) - 1,  # each node once; waiting is ours
            "retry_on_status": (),
            "http_compress": not all(urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost") for url in self.urls),
        }
        if self.ca_file:
            arguments["ca_certs"] = str(self.ca_file)
        if self.user and self.password:
            arguments["basic_auth"] = (self.user, resolve(self.password))
        if self.api_key:
            arguments["api_key"] = resolve(self.api_key)
        return arguments


@contextmanager
def translated() -> Iterator[None]:
    """The client's errors, async or not, as ours."""
    try:
        yield
    except (NoConnection, NoAnswer) as error:
        raise unreachable(str(error)) from error
    except ApiError as error:
        raise refusal(error.status_code, _error_of(error)) from error
    except TransportError as error:
        raise ElasticsearchRefused(f"what answers is no Elasticsearch: {error}; correct elasticsearch.urls") from error


def unreachable(problem: str) -> ElasticsearchUnreachable:
    """The error to raise when nothing answers or nothing is taken."""
    return ElasticsearchUnreachable(
        f"Elasticsearch does not answer or takes nothing now ({problem}): start it with 'nabiz up', "
        "or correct elasticsearch.urls in the configuration"
    )


def refusal(status: int, error: Mapping[str, Any]) -> Exception:
    """What an error of Elasticsearch (type and reason, of a request or of one item in it) means to us."""
    problem = _problem(error)
    if status == TOO_MANY_REQUESTS or status >= 500 or error.get("type") == "cluster_block_exception":
        return unreachable(problem)  # overload, a restart, a full disk, a block for maintenance: it passes
    if status == TOO_LARGE or (status == BAD_REQUEST and error.get("type") in CONTENT_FAULTS):
        return RequestRejected(problem)
    return ElasticsearchRefused(
        f"Elasticsearch refuses us (status {status}, {problem}): check user, rights and limits of the cluster"
    )


def _problem(error: Mapping[str, Any]) -> str:
    """Type and reason, without what the reason quotes from the document."""
    reason = _QUOTED_CONTENT.split(str(error.get("reason", "")), maxsplit=1)[0][:300]
    return f"{error.get('type')}: {reason}" if reason else str(error.get("type"))


def _error_of(error: ApiError) -> Mapping[str, Any]:
    cause = error.body.get("error") if isinstance(error.body, dict) else None
    return cause if isinstance(cause, dict) else {"type": str(error.message)[:300]}


class Patience:
    """Tries for ever while the server is away, ever more rarely; says once that it waits, and once that it is over."""

    def __init__(self, rng: random.Random | None = None, longest_wait_secs: float = LONGEST_WAIT_SECS) -> None:
        self._rng = rng or random.Random()  # noqa: S311 – jitter
        self._longest_wait_secs = longest_wait_secs

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Raises `ElasticsearchRefused`; waits through `ElasticsearchUnreachable`, and can be cancelled meanwhile."""
        began, wait_secs = 0.0, FIRST_WAIT_SECS
        while True:
            try:
                with translated():
                    result = await attempt()
            except ElasticsearchUnreachable as error:
                if not began:
                    began = time.monotonic()
                    log.warning("waiting: %s", error)
                wait_secs = min(wait_secs, self._longest_wait_secs)
                await asyncio.sleep(wait_secs * self._rng.uniform(0.5, 1.0))
                wait_secs *= 2
            else:
                if began:
                    log.info("Elasticsearch takes requests again after %.1f s", time.monotonic() - began)
                return result


async def prepare(client: AsyncElasticsearch, prefix: str, replicas: int) -> None:
    """Put the index template and the index of tombstones; changes nothing that is there already.

    Must precede the first write: an index made without the template has a guessed mapping. Raises
    `ElasticsearchUnreachable` or `ElasticsearchRefused`.
    """
    template = mentions_template(prefix, replicas=replicas)
    with translated():
        await client.indices.put_index_template(name=f"{prefix}{MENTIONS_ALIAS}", **template)
        try:
            await client.indices.create(
                index=f"{prefix}{TOMBSTONES_INDEX}",
                settings={"number_of_shards": 1, "number_of_replicas": replicas},
                mappings=TOMBSTONE_MAPPINGS,
            )
        except BadRequestError as error:
            if error.message != "resource_already_exists_exception":
                raise
