"""When the embedded servers cannot be built, the error says what to install; when nothing changed, nothing is built."""

import socket
from pathlib import Path

import pytest

from pipeline.servers import build
from pipeline.servers.build import ServersUnavailable
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka
from pipeline.servers.ports import Ports, PortTaken, choose_ports, free_ports, require_free


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source folder of its own, with one pom and one source."""
    sources = tmp_path / "embedded"
    (sources / "kafka" / "src").mkdir(parents=True)
    for file in ("pom.xml", "kafka/pom.xml", "kafka/src/Main.java"):
        (sources / file).write_text("as it was", encoding="utf-8")
    output = sources / "target"
    monkeypatch.setattr(build, "SOURCES", sources)
    monkeypatch.setattr(build, "OUTPUT", output)
    monkeypatch.setattr(build, "KAFKA_HOME", output / "kafka-home")
    monkeypatch.setattr(build, "ELASTICSEARCH_HOME", output / "es-home")
    monkeypatch.setattr(build, "_STAMP", output / "sources.sha256")
    monkeypatch.setattr(build, "_LOG", output / "build.log")
    return sources


def tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    (folder / name).chmod(0o755)


GOOD_JAVAC = "echo javac 17.0.1"
GOOD_MAVEN = "/bin/mkdir -p target/kafka-home/lib target/es-home/lib && echo run >> runs"


def test_no_jdk(tools: Path, checkout: Path) -> None:
    """Without a compiler the error names the package to install."""
    with pytest.raises(ServersUnavailable, match=r"no javac.*apt-get install openjdk-17-jdk maven"):
        build.ensure_built()


def test_old_jdk(tools: Path, checkout: Path) -> None:
    """A compiler that is too old is named with its version."""
    tool(tools, "javac", "echo javac 11.0.2")
    with pytest.raises(ServersUnavailable, match=r"javac is version 11.*17 or later"):
        build.ensure_built()


def test_no_maven(tools: Path, checkout: Path) -> None:
    """With a JDK alone, Maven is what is asked for."""
    tool(tools, "javac", GOOD_JAVAC)
    with pytest.raises(ServersUnavailable, match=r"No mvn.*apt-get install"):
        build.ensure_built()


def test_failed_download(tools: Path, checkout: Path) -> None:
    """A failed build shows Maven's first errors, and a failed download the way to a mirror."""
    tool(tools, "javac", GOOD_JAVAC)
    tool(tools, "mvn", "echo '[ERROR] Could not transfer artifact a:b'; exit 1")
    with pytest.raises(ServersUnavailable, match=r"Could not transfer artifact a:b[\s\S]*mirror or proxy"):
        build.ensure_built()
    assert not build.built()


def test_built_once_until_a_source_changes(tools: Path, checkout: Path) -> None:
    """The same sources are built once; a change of one of them builds again; a README is no source."""
    tool(tools, "javac", GOOD_JAVAC)
    tool(tools, "mvn", GOOD_MAVEN)
    lines: list[str] = []
    build.ensure_built(lines.append)
    assert len(lines) == 2
    (checkout / "README.md").write_text("new", encoding="ascii")
    build.ensure_built(lines.append)
    assert build.built()
    assert (checkout / "runs").read_text() == "run\n"
    (checkout / "kafka/src/Main.java").write_text("changed", encoding="ascii")
    assert not build.built()
    build.ensure_built(lines.append)
    assert (checkout / "runs").read_text() == "run\nrun\n"


def test_no_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installed wheel has no sources to build from, and the error says so."""
    monkeypatch.setattr(build, "SOURCES", tmp_path / "none")
    with pytest.raises(ServersUnavailable, match="source checkout"):
        build.ensure_built()


def test_automatic_ports_differ_from_each_other() -> None:
    """Ports that are chosen together are different, and free."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    require_free(ports)
    assert choose_ports() == Ports(kafka=19092, kafka_controller=19093, elasticsearch=19200, elasticsearch_transport=19300)


def test_a_taken_port_is_named() -> None:
    """The error carries the port and names the way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} .*--ports auto") as caught:
            require_free([port])
    assert caught.value.port == port


def test_commands_hold_everything_but_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports, folders and memory stand in the command line; the environment is ours, and the password only in there."""
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx4g")
    java = Path("java")
    kafka = EmbeddedKafka(data_dir=tmp_path / "k", port=1, controller_port=2, java=java, settings={"num.partitions": "8"})
    search = EmbeddedElasticsearch(data_dir=tmp_path / "e", port=3, transport_port=4, java=java, password="gizli")
    assert {"-Xmx384m", "--watch-stdin", "-Enum.partitions=8", str(tmp_path / "k")} <= set(kafka.command())
    assert {"-Xmx512m", "--watch-stdin", "--security", "-Ehttp.port=3"} <= set(search.command())
    assert "gizli" not in " ".join(search.command()) + repr(search)
    assert search.environment()["ELASTIC_PASSWORD"] == "gizli"
    assert "JAVA_TOOL_OPTIONS" not in kafka.environment()
