"""The files for operators name only what is there: commands, settings, secrets, files, figures, steps, paragraphs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import queue, queues, settings
from tests.house.test_documents import exists

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").iterdir())
PROGRAM = "/opt/warmthread/.venv/bin/warmthread"
QUEUES = {f"worker {name}" for name in queues.NAMES}
SERVING = {"web", "ticker", *QUEUES}
AS_OWNER = {"db upgrade", "db roles warmthread_service"}


def setting(name: str) -> bool:
    return name.removesuffix("_FILE") in settings.names() or name == settings.ENV_FILE


def objects() -> list[dict[str, Any]]:
    return [made for file in MANIFESTS for made in yaml.safe_load_all(file.read_text("utf-8"))]


def pods() -> dict[str, dict[str, Any]]:
    running = [made for made in objects() if "template" in made.get("spec", {})]
    return {made["metadata"]["name"]: made["spec"]["template"]["spec"] for made in running}


def compose() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return made


def ours() -> dict[str, dict[str, Any]]:
    return {name: part for name, part in compose()["services"].items() if part["image"].startswith("warmthread:")}


def test_compose_runs_every_process_as_nobody_in_particular():
    commands = {" ".join(part["command"]) for name, part in ours().items() if name != "backup"}
    assert commands == SERVING | AS_OWNER
    assert all(exists(command.split()) for command in commands)
    for part in ours().values():
        assert part["read_only"]
        assert part["cap_drop"] == ["ALL"]
        assert part["security_opt"] == ["no-new-privileges:true"]
        assert part["ulimits"] == {"core": 0}


def test_compose_gives_only_settings_that_there_are_and_every_secret_as_a_file():
    whole = compose()
    for name, part in ours().items():
        assert all(setting(variable) for variable in part["environment"]), name
        named = {
            value.rpartition("/")[2] for variable, value in part["environment"].items() if variable.endswith("_FILE")
        }
        assert named == set(part["secrets"])
        assert ("backup_keys" in named) == (name == "backup")
        secret = [str(variable) for variable in part["environment"] if re.search("TOKEN|KEYS|DATABASE", variable)]
        assert all(variable.endswith("_FILE") for variable in secret)
    assert {secret for part in whole["services"].values() for secret in part.get("secrets", [])} == set(
        whole["secrets"]
    )
    for part in whole["services"].values():
        for mounted in [volume for volume in part.get("volumes", []) if volume.startswith("./")]:
            assert (DEPLOY / mounted.split(":")[0]).is_file()


def test_the_database_is_out_of_reach_and_its_role_is_no_superuser():
    services = compose()["services"]
    assert compose()["networks"]["inside"]["internal"]
    for name in ("postgresql", "valkey"):
        assert services[name]["networks"] == ["inside"]
        assert "ports" not in services[name]
    script = DEPLOY / "postgresql" / "10-role.sh"
    assert script.read_text("utf-8").count("LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE") == 2
    assert subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False).stderr == ""


def test_compose_gives_the_owner_of_the_tables_to_what_migrates_alone_and_waits_for_it():
    owners = {" ".join(part["command"]) for part in ours().values() if "owner_database_url" in part["secrets"]}
    assert owners == AS_OWNER
    for name, part in ours().items():
        as_owner = name in ("migrate", "roles")
        assert part["environment"]["DATABASE_URL_FILE"].endswith("/owner_database_url" if as_owner else "/database_url")
        assert ("database_url" in part["secrets"]) != as_owner
        assert part["restart"] == ("no" if as_owner or name == "backup" else "unless-stopped")
        assert as_owner or part["depends_on"]["roles"] == {"condition": "service_completed_successfully"}
    assert ours()["roles"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_kubernetes_and_systemd_give_it_to_what_migrates_alone():
    for name, pod in pods().items():
        secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        assert ("warmthread-owner" in secrets) == (name == "warmthread-migrate"), name
    job = pods()["warmthread-migrate"]
    steps = [*job["initContainers"], *job["containers"]]
    assert [" ".join(step["args"]) for step in steps] == ["db upgrade", "db roles warmthread_service"]
    address = {"name": "DATABASE_URL_FILE", "value": "/run/secrets/owner/owner_database_url"}
    assert all(address in step["env"] for step in steps)
    given = {unit.name for unit in UNITS if "owner_database_url" in unit.read_text("utf-8")}
    assert given == {"warmthread-migrate.service"}
    (migrate,) = [unit for unit in UNITS if unit.name in given]
    run = lines(migrate, "ExecStart") + lines(migrate, "ExecStartPost")
    assert run == [f"{PROGRAM} db upgrade", f"{PROGRAM} db roles warmthread_service"]


def test_every_manifest_runs_commands_that_there_are_with_settings_that_there_are():
    made = pods()
    assert {" ".join(pod["containers"][0]["args"]) for pod in made.values()} == SERVING | {
        "db roles warmthread_service"
    }
    for name, pod in made.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert not pod["automountServiceAccountToken"]
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            assert exists(container["args"])
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    told = next(made for made in objects() if made["kind"] == "ConfigMap")["data"]
    assert all(setting(name) for name in told)
    settings.load({name: value for name, value in told.items() if not name.endswith("_FILE")} | MADE_UP)


MADE_UP = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "a token for tests"}


def test_processes_are_asked_whether_they_live_and_are_not_all_taken_away_at_once():
    web = pods()["warmthread-web"]["containers"][0]
    doors = {web[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert doors == {"/healthz"}
    replicas = {
        made["metadata"]["name"]: made["spec"]["replicas"] for made in objects() if made["kind"] == "Deployment"
    }
    kept = {made["metadata"]["name"] for made in objects() if made["kind"] == "PodDisruptionBudget"}
    assert set(replicas) == kept
    assert min(replicas.values()) == 2


def figures() -> set[str]:
    """The names of the figures that /metrics gives."""
    texts = [file.read_text("utf-8") for file in (ROOT / "service").glob("*.py")]
    return {name for text in texts for name in re.findall(r'"(warmthread_[a-z_]+)"', text)}


def test_what_scales_and_what_rings_asks_for_figures_and_lanes_that_there_are(house):
    lanes = set(queue.lanes())
    for made in [made for made in objects() if made["kind"] == "HorizontalPodAutoscaler"]:
        metric = made["spec"]["metrics"][0]["external"]["metric"]
        lane = queue.lanes()[metric["selector"]["matchLabels"]["lane"]]
        assert metric["name"] in figures()
        assert made["spec"]["scaleTargetRef"]["name"] == f"warmthread-worker-{lane.queue}"
    operating = (ROOT / "docs" / "operating.md").read_text("utf-8")
    (table,) = re.findall(r"\| lane \| what waits.*?\n\n", operating, re.DOTALL)
    assert {
        name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall("`(.*?)`", row)
    } <= lanes


def test_every_step_of_the_image_is_possible():
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    copied = [words.split() for step, words in steps if step == "COPY"]
    assert all((ROOT / source).exists() for *sources, _ in copied for source in sources)
    assert ["USER", "10001:10001"] in steps
    assert steps.index(["USER", "10001:10001"]) > max(at for at, (step, _) in enumerate(steps) if step == "RUN")
    rooms = re.search(r"compileall -q -j 0 (.+?) &&", text)
    assert rooms is not None
    assert all((ROOT / room / "__init__.py").is_file() for room in rooms[1].split())
    given = dict(re.findall(r"(WARMTHREAD_[A-Z_]+)=(\S*)", text))
    assert all(setting(name) for name in given)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for way in ("--require-hashes -r requirements/base.txt", "--no-deps --no-build-isolation -e ."):
        assert way in text
        assert way in makefile
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert {".env", "data", ".git"} <= set(left_out)
    assert not set(rooms[1].split()) & set(left_out)


def test_the_proxy_takes_whole_bodies_and_believes_nobody():
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for line in (
        "proxy_request_buffering on;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        'proxy_set_header Forwarded "";',
        "access_log off;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
    ):
        assert line in text
    assert text.count("{") == text.count("}")
    without = re.sub(r"#.*", "", text)
    assert [line for line in map(str.strip, without.splitlines()) if line and line[-1] not in ";{}"] == []


def lines(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def test_every_unit_runs_a_command_that_there_is_with_settings_that_there_are():
    run = {unit.name: words for unit in UNITS for words in lines(unit, "ExecStart") if words.startswith(PROGRAM)}
    for name, words in run.items():
        command = words.removeprefix(PROGRAM).replace("%i", "urgent").split()
        assert exists(command), name
    assert {words.removeprefix(f"{PROGRAM} ") for words in run.values()} >= {
        "web",
        "ticker",
        "db upgrade",
        "worker %i",
        "serve",
    }
    for unit in UNITS:
        variables = [word.split("=")[0] for line in lines(unit, "Environment") for word in line.split()]
        assert all(setting(variable) for variable in variables), unit.name
        held = {line.split(":")[0] for line in lines(unit, "LoadCredential")}
        assert held == set(re.findall(r"_FILE=%d/(\w+)", unit.read_text("utf-8")))
    (target,) = [unit for unit in UNITS if unit.suffix == ".target"]
    wanted = re.findall(r"warmthread-worker@(\w+)\.service", target.read_text("utf-8"))
    assert set(wanted) == set(queues.NAMES)


def test_systemd_finds_nothing_wrong_with_the_units_and_they_are_shut_in(tmp_path):
    for unit in UNITS:
        program = Path(sys.executable).with_name("warmthread")
        (tmp_path / unit.name).write_text(unit.read_text("utf-8").replace(PROGRAM, str(program)), "utf-8")
    sandboxed = [unit for unit in UNITS if lines(unit, "LoadCredential")]
    for unit in sandboxed:
        text = unit.read_text("utf-8")
        for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", "LimitCORE=0", "User=warmthread"):
            assert line in text, unit.name
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # no systemd, no more to ask
        return
    names = [str(tmp_path / unit.name) for unit in UNITS]
    said = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True, check=False)
    assert [line for line in said.stderr.splitlines() if str(tmp_path) in line or "warmthread" in line] == []
    for unit in sandboxed:
        words = [analyze, "security", "--offline=true", "--threshold=25", str(tmp_path / unit.name)]
        judged = subprocess.run(words, capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout[-300:]


@pytest.mark.parametrize("document", ["deploy/README.md", "docs/operating.md"])
def test_what_the_readme_names_is_there(document):
    text = (ROOT / document).read_text("utf-8")
    if document.startswith("deploy"):
        for name in re.findall(r"^\| `([\w./-]+)` \| ", text, re.MULTILINE):
            known = (
                (DEPLOY / name).exists() or name in compose()["secrets"] or f"{name}".endswith((".pem", "redis_url"))
            )
            assert known, name
    for link, anchor in re.findall(r"\]\(([^)#]*)#([\w-]+)\)", text):
        target = ((ROOT / document).parent / link) if link else ROOT / document
        headings = re.findall(r"^## (.+)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor
