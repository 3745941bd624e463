"""docker-compose.yml, the image and the examples hold together and leave nothing open; that containers start, nobody has seen here."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from connectors.secrets import resolve
from pipeline.cli.main import main
from pipeline.configuration import load
from pipeline.watch_registry import read_watch_files
from tests.compose_file import FILE, ROOT, SECRETS_VARIABLE, compose

DEPLOY = ROOT / "deploy"
PROJECT = compose()
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
ROLES = ("enrich", "index", "detect", "alert")
OURS = (*ROLES, "prepare", "housekeeping", "nabiz")
ONE_SHOT = ("accounts", "prepare", "nabiz")
PUBLISHED = {"kibana": 5601, "elasticsearch": 9200}
MEMORY = re.compile(r"\d+[mg]")

each_service = pytest.mark.parametrize("name", SERVICES)


def secrets_of(service: dict[str, Any]) -> list[str]:
    """The secrets that a service gets, by name."""
    return [entry["source"] if isinstance(entry, dict) else entry for entry in service.get("secrets", [])]


def texts(value: Any) -> list[str]:
    """Every text in a nest."""
    if isinstance(value, dict):
        return [text for entry in value.values() for text in texts(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in texts(entry)]
    return [value] if isinstance(value, str) else []


# -- each service -------------------------------------------------------------------------------------------------------


@each_service
def test_the_image_is_pinned(name: str) -> None:
    """By a whole version, never by latest."""
    assert re.fullmatch(r"[a-z0-9./-]+:\d+\.\d+\.\d+", SERVICES[name]["image"])


@each_service
def test_health_is_checked_or_an_end_is_expected(name: str) -> None:
    """What runs on has a check that ends in time; what ends says so."""
    check = SERVICES[name]["healthcheck"]
    if name in ONE_SHOT:
        assert check == {"disable": True}
        assert SERVICES[name]["restart"] == "no"
    else:
        assert check["test"][0] == "CMD-SHELL"
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
        assert SERVICES[name]["restart"] == "unless-stopped"


@each_service
def test_nobody_takes_the_whole_machine(name: str) -> None:
    """Memory, processors and logs are limited."""
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert MEMORY.fullmatch(limits["memory"])
    assert 0 < float(limits["cpus"]) <= 2
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_rights_are_few(name: str) -> None:
    """No capability, no way to more; ours run as nobody's user on a read-only file system."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys()
    if name in OURS:
        assert service["user"] == "1000:1000"
        assert service["read_only"] is True
        assert service["tmpfs"]


@each_service
def test_ports_are_this_machine_s(name: str) -> None:
    """Kibana and Elasticsearch on the loopback interface; Kafka nowhere."""
    ports = SERVICES[name].get("ports", [])
    assert len(ports) == (name in PUBLISHED)
    assert all(re.fullmatch(rf"127\.0\.0\.1:\d+:{PUBLISHED[name]}", port) for port in ports)


@each_service
def test_only_who_must_reaches_the_outside(name: str) -> None:
    """A webhook is called, a port is published; the rest is on a network without a way out."""
    networks = SERVICES[name].get("networks", [])
    assert set(networks) <= PROJECT["networks"].keys()
    assert ("edge" in networks) == (name in {*PUBLISHED, "alert"})
    assert bool(networks) == (SERVICES[name].get("network_mode") != "none")


@each_service
def test_what_it_waits_for_is_there(name: str) -> None:
    """A server is waited for until healthy, a one-shot until done; volumes and secrets are declared."""
    service = SERVICES[name]
    for target, wait in service.get("depends_on", {}).items():
        assert wait["condition"] == ("service_completed_successfully" if target in ONE_SHOT else "service_healthy")
        assert target in SERVICES
    assert set(secrets_of(service)) <= PROJECT["secrets"].keys()
    for volume in service.get("volumes", []):
        source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in PROJECT["volumes"]


def test_every_role_is_there_once() -> None:
    """All of ours from one image of this version; one alert; copies of the others number themselves."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"nabiz:{version}"}
    assert [SERVICES[name]["command"][1] for name in ROLES] == list(ROLES)
    assert SERVICES["alert"]["deploy"]["replicas"] == 1
    counted = compose(NABIZ_ENRICH="3", NABIZ_INDEX="2", NABIZ_DETECT="4")["services"]
    assert [counted[name]["deploy"]["replicas"] for name in ("enrich", "index", "detect")] == ["3", "2", "4"]
    assert all("auto" in SERVICES[name]["command"] for name in ROLES)


def test_the_heartbeat_that_is_checked_is_the_one_that_is_touched() -> None:
    """And it lies where the container may write."""
    for name in (*ROLES, "housekeeping"):
        command = SERVICES[name]["command"]
        file = command[command.index("--heartbeat") + 1]
        assert f"find {file} " in SERVICES[name]["healthcheck"]["test"][1]
        assert file.startswith("/tmp/")


@pytest.mark.parametrize("name", OURS)
def test_commands_are_commands(name: str) -> None:
    """Every command of ours is understood by the command line, options included."""
    found: click.Command = main
    arguments = list(SERVICES[name]["command"])
    while isinstance(found, click.Group) and arguments and not arguments[0].startswith("-"):
        found = found.get_command(click.Context(found), arguments.pop(0))  # type: ignore[assignment]
        assert found is not None
    if arguments == ["--help"]:
        return
    values = [argument if not argument.startswith("/var/") else str(FILE) for argument in arguments]  # a path that exists
    if found.name in {"prepare", "housekeeping"}:
        values = [argument if argument != str(FILE) else str(ROOT) for argument in values]
    assert found.make_context(name, values).params


# -- secrets ------------------------------------------------------------------------------------------------------------


def test_no_password_stands_in_the_file() -> None:
    """Nor a default one: every secret is a file, and where the files are must be said."""
    for name, secret in PROJECT["secrets"].items():
        assert secret == {"file": f"./deploy/secrets/{name}"}
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for service in raw["services"].values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"password|secret|token|jaas|login", f"{key}={value}", re.IGNORECASE):
                assert "/run/secrets/" in value
    assert not re.search(r"changeme|password123|admin", FILE.read_text(encoding="utf-8"), re.IGNORECASE)
    with pytest.raises(KeyError, match=r"run deploy/make-secrets\.sh first"):
        compose(**{SECRETS_VARIABLE: ""})


def test_secrets_come_to_those_who_use_them() -> None:
    """A path under /run/secrets leads to a secret of the same service; none is given without use."""
    configuration = yaml.safe_load((DEPLOY / "examples" / "compose" / "nabiz.yaml").read_text(encoding="utf-8"))
    for name, service in SERVICES.items():
        named = {path for text in texts(service) for path in re.findall(r"/run/secrets/([\w.]+)", text)}
        assert named <= set(secrets_of(service)), name
    wanted = {text.removeprefix("file:/run/secrets/") for text in texts(configuration) if text.startswith("file:")}
    assert wanted == {"kafka_password", "nabiz_password", "hmac_key"}
    assert set(secrets_of(SERVICES["prepare"])) == set(secrets_of(SERVICES["nabiz"])) == wanted
    used = {secret for service in SERVICES.values() for secret in secrets_of(service)}
    assert used == PROJECT["secrets"].keys()


def make_secrets(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DEPLOY / "make-secrets.sh", *arguments], capture_output=True, text=True, check=False)


def test_secrets_are_made_once_and_for_one_reader(tmp_path: Path) -> None:
    """Those of the compose file, all random, all 0600; the second call changes nothing and says so."""
    folder = tmp_path / "secrets"
    assert make_secrets(folder, str(os.getuid())).returncode == 0
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert made.keys() == PROJECT["secrets"].keys()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    again = make_secrets(folder, str(os.getuid()))
    assert again.returncode == 1
    assert "is there already: nothing was changed" in again.stderr
    assert {file.name: file.read_text() for file in folder.iterdir()} == made
    values = {made[name] for name in made if "." not in name}
    assert len(values) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9]{43}", value) for value in values)
    assert f'user_nabiz="{made["kafka_password"]}"' in made["kafka_jaas.conf"]
    kibana = yaml.safe_load(made["kibana.yml"])
    assert kibana["elasticsearch.password"] == made["kibana_password"]
    assert all(len(value) >= 32 for key, value in kibana.items() if key.endswith("encryptionKey"))
    assert resolve(f"file:{folder / 'hmac_key'}") == made["hmac_key"]


def test_secrets_for_another_user_need_root() -> None:
    """Files that the containers could not read are not made."""
    nobody = {"user": 65534} if os.getuid() == 0 else {}
    with (DEPLOY / "make-secrets.sh").open() as script:
        command = ["sh", "-s", "/nowhere/secrets", str(os.getuid() + 1)]
        result = subprocess.run(command, stdin=script, cwd="/", capture_output=True, text=True, check=False, **nobody)
    assert result.returncode == 1
    assert "run it with sudo" in result.stderr


def test_every_secret_is_explained_and_none_is_in_the_repository() -> None:
    """By name, in the folder's own page."""
    page = (DEPLOY / "secrets" / "README.md").read_text(encoding="utf-8")
    assert [name for name in PROJECT["secrets"] if f"`{name}`" not in page] == []
    kept = {file.name for file in (DEPLOY / "secrets").iterdir()} - PROJECT["secrets"].keys()
    assert kept == {"README.md", ".gitignore"}
    assert (DEPLOY / "secrets" / ".gitignore").read_text().splitlines()[-3:] == ["*", "!.gitignore", "!README.md"]


# -- versions and the image -----------------------------------------------------------------------------------------------


def test_servers_are_those_of_the_tests() -> None:
    """Demo and tests run the embedded servers of the same versions."""
    pom = (DEPLOY / "embedded" / "pom.xml").read_text(encoding="utf-8")
    versions = dict(re.findall(r"<(elasticsearch|kafka)\.version>([\d.]+)<", pom))
    images = {name: SERVICES[name]["image"].split(":")[1] for name in ("kafka", "elasticsearch", "kibana", "accounts")}
    assert images == {name: versions["kafka" if name == "kafka" else "elasticsearch"] for name in images}


def dockerfile() -> list[list[str]]:
    """Its instructions, each as words."""
    text = (DEPLOY / "image" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_image_is_built_from_pinned_parts() -> None:
    """One Python for both stages; dependencies by hash and as wheels; nothing else from outside."""
    bases = {words[1] for words in dockerfile() if words[0] == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases.pop())
    for words in dockerfile():
        if words[0] == "RUN" and "install" in words and "pip" in words:
            assert {"--require-hashes", "--only-binary"} <= set(words) or "--no-index" in words
    assert ["requirements-run.lock" in words for words in dockerfile()].count(True) == 2


def test_the_image_runs_as_nobody_and_fetches_nothing() -> None:
    """The last user is not root, the hub of models is shut, and nothing reports home."""
    instructions = dockerfile()
    assert [words for words in instructions if words[0] == "USER"][-1] == ["USER", "1000:1000"]
    assert json.loads(" ".join(words[1] for words in instructions if words[0] == "ENTRYPOINT")) == ["nabiz"]
    assert {"HF_HUB_OFFLINE=1", "ORT_DISABLE_TELEMETRY=1"} <= {
        word for words in instructions if words[0] == "ENV" for word in words
    }


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    """All packages of ours, the model with them; no test, no data, no secret."""
    sources = [word for words in dockerfile() if words[0] == "COPY" and "--from=build" not in words for word in words[1:-1]]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)
    assert {"schemas", "processors", "connectors", "pipeline"} <= set(sources)
    assert (ROOT / "processors" / "sentiment" / "model" / "model.onnx").exists()


def test_the_run_lock_is_the_lock_without_tools() -> None:
    """The same versions as developers use, every one with hashes, no server's address, none of the tools."""
    run, full = (pins((ROOT / name).read_text()) for name in ("requirements-run.lock", "requirements.lock"))
    assert run.items() <= full.items()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "torch"} & {name for name, _ in run}
    text = (ROOT / "requirements-run.lock").read_text() + (DEPLOY / "image" / "build.lock").read_text()
    assert "://" not in text
    assert len(re.findall(r"^\S+==\S+.*\\$", text, re.MULTILINE)) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[\[=<>]", entry)[0] for entry in wanted} <= {name for name, _ in run}


def pins(text: str) -> dict[tuple[str, str], str]:
    """Version by name and by where it applies."""
    found = re.findall(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", text, re.MULTILINE)
    return {(name, marker): version for name, version, marker in found}


# -- examples -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["institution.yaml", "compose/nabiz.yaml", "telecom.yaml"])
def test_examples_are_usable(file: str) -> None:
    """As `nabiz config check` says, watches included."""
    result = CliRunner().invoke(main, ["config", "check", str(DEPLOY / "examples" / file)])
    assert result.exit_code == 0, result.output


def test_the_example_of_an_institution_shows_what_there_is() -> None:
    """Servers, accounts, two lists, all kinds of channels, two watches; no secret in it."""
    found = load(DEPLOY / "examples" / "institution.yaml")
    assert found.kafka is not None
    assert found.elasticsearch is not None
    assert set(found.model_fields_set) == set(type(found).model_fields)
    assert len(found.on_call) == 2
    assert {channel.type for channel in found.channels.values()} == {"console", "file", "webhook"}
    specs = read_watch_files(found.watches)
    assert {spec.level for spec in specs} == {"page", "notice"}
    assert {spec.on_call for spec in specs} == found.on_call.keys()


def test_the_example_for_compose_finds_the_servers_of_compose() -> None:
    """By the names of the services, as the users that the secrets are for."""
    found = load(DEPLOY / "examples" / "compose" / "nabiz.yaml")
    assert found.kafka is not None
    assert found.elasticsearch is not None
    assert f"SASL_PLAINTEXT://{found.kafka.bootstrap}," in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert found.elasticsearch.urls == (SERVICES["accounts"]["environment"]["ELASTICSEARCH_URL"],)
    assert found.kafka.sasl_mechanism == SERVICES["kafka"]["environment"]["KAFKA_SASL_ENABLED_MECHANISMS"]


def has_compose() -> bool:
    """Whether a Docker client with the compose plugin is here; it needs no engine for `config`."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="no Docker client with the compose plugin here")
def test_docker_compose_understands_the_file(tmp_path: Path) -> None:
    """Its own check of the whole file, with the profile for commands."""
    command = ["docker", "compose", "--file", str(FILE), "--profile", "tools", "config", "--quiet"]
    found = subprocess.run(
        command, env=os.environ | {SECRETS_VARIABLE: str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
