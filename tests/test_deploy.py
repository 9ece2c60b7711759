"""What deploy/ says is valid, agrees with the app and with itself, and holds no secrets."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from replicas import ADDRESSES, CONFIG, nginx, rendered

from explainer.inputs.uploads import MAX_BYTES, MEGABYTE
from explainer.training.limits import FILE, read_limits
from vit_core import PRESETS

PROJECT = Path(__file__).parents[1]
DEPLOY = PROJECT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OBJECTS: list[dict[str, Any]] = [
    one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
LOCK = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
REPLICAS = ("replica-1", "replica-2", "replica-3")


def checked(program: str, *arguments: object) -> None:
    """Run one of the linters that requirements-dev.txt has."""
    found = shutil.which(program, path=os.pathsep.join((os.path.dirname(sys.executable),)))
    found = found or shutil.which(program)
    if found is None and "CI" not in os.environ:
        pytest.skip(f"no {program} on this machine")
    assert found, f"no {program}, which requirements-dev.txt has"
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def one_object(kind: str, name: str = "vit-explainer") -> dict[str, Any]:
    (found,) = (one for one in OBJECTS if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def pods() -> list[dict[str, Any]]:
    """Return what all manifests say of pods."""
    found = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "containers" in node:
                found.append(node)
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                walk(one)

    walk(OBJECTS)
    return found


def test_the_dockerfile_is_clean() -> None:
    checked("hadolint", DEPLOY / "Dockerfile")


def test_the_compose_file_is_one() -> None:
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_the_manifests_are_kubernetes_own(path: Path) -> None:
    checked("kubernetes-validate", "--strict", path)


def test_nginx_takes_its_settings(tmp_path: Path) -> None:
    program = nginx()
    if program is None and "CI" not in os.environ:
        pytest.skip("no nginx on this machine")
    assert program, "no nginx, which this test needs"
    path = tmp_path / "nginx.conf"
    path.write_text(rendered(1, [1, 2, 3], tmp_path), encoding="utf-8")
    done = subprocess.run(
        [program, "-t", "-p", tmp_path, "-c", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_image_has_only_what_is_named_and_no_secret() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert all((PROJECT / name).exists() for name in allowed)
    # a wildcard that is the last counts, so nothing lets compiled files in again
    assert rules[-1] == "**/__pycache__"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for line in copied for name in line.split()} == allowed
    assert not re.search(r"(?i)(password|secret|token|key)\s*=", DOCKERFILE)


def test_the_image_runs_as_nobody_and_says_whether_it_is_well() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last and "_stcore/health" in last
    assert "VIT_EXPLAINER_RUNS=/runs" in last and "VOLUME /runs" in last


def test_the_replicas_can_write_their_runs_and_nothing_else() -> None:
    for name in REPLICAS:
        service = COMPOSE["services"][name]
        assert service["read_only"] and service["tmpfs"] == ["/tmp"]
        assert service["volumes"] == ["runs:/runs"] and service["cap_drop"] == ["ALL"]
        assert "ports" not in service
    assert "ports" not in COMPOSE["services"]["database"]
    assert COMPOSE["networks"]["data"]["internal"]
    on_data = {
        name for name, one in COMPOSE["services"].items() if "data" in one.get("networks", ())
    }
    assert on_data == {*REPLICAS, "database"}


def test_nginx_and_compose_mean_the_same_replicas() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    there = {
        COMPOSE["services"][name]["networks"]["pages"]["ipv4_address"] + ":8501"
        for name in REPLICAS
    }
    assert set(ADDRESSES) == there == set(re.findall(r"10[\d.]+:\d+", text))
    proxy = COMPOSE["services"]["proxy"]
    trusted = COMPOSE["services"]["replica-1"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert proxy["networks"]["pages"]["ipv4_address"] == trusted
    (listen,) = re.findall(r"listen (\d+);", text)
    assert proxy["ports"] == [f"${{PORT:-8080}}:{listen}"]


def test_the_proxies_take_what_the_app_takes() -> None:
    most = MAX_BYTES // MEGABYTE + 1  # a megabyte for what stands around the file
    assert f"client_max_body_size {most}m;" in CONFIG.read_text(encoding="utf-8")
    notes = one_object("Ingress")["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/proxy-body-size"] == f"{most}m"


def test_what_nginx_writes_down_has_neither_addresses_nor_links() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    (form,) = re.findall(r"log_format \w+ (.*?);", text, re.DOTALL)
    variables = set(re.findall(r"\$(\w+)", form))
    # it is $uri, which has no parameters, in which drawings are, and without codes of classes
    assert variables == {
        *("time_iso8601", "request_method", "logged_path", "status", "body_bytes_sent"),
        *("request_time", "answered_by"),
    }
    assert re.findall(r"error_log \S+ (\w+);", text) == ["crit"]


def test_all_pods_run_as_nobody_and_can_write_their_volumes_alone() -> None:
    assert len(pods()) == 5
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            if container["image"] == "vit-explainer":
                assert container["securityContext"]["readOnlyRootFilesystem"]
                assert pod["securityContext"]["runAsUser"] == 10001
                paths = {mount["mountPath"] for mount in container["volumeMounts"]}
                assert paths - {"/dev/shm", "/images"} == {"/runs", "/tmp"}


def test_the_manifests_fit_together() -> None:
    assert one_object("PersistentVolumeClaim", "runs")["spec"]["accessModes"] == ["ReadWriteMany"]
    deployment, service = one_object("Deployment"), one_object("Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == labels
    target = one_object("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "vit-explainer")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/_stcore/health"
    notes = one_object("Ingress")["metadata"]["annotations"]
    cookie = notes["nginx.ingress.kubernetes.io/session-cookie-name"]
    assert cookie in CONFIG.read_text(encoding="utf-8")
    assert cookie in service["metadata"]["annotations"].values()


def test_no_manifest_has_a_secret() -> None:
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]
    for pod in pods():
        for variable in (one for container in pod["containers"] for one in container["env"]):
            if re.search("PASSWORD|CLASSROOMS|TOKEN", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"]


def test_the_replicas_and_the_ray_cluster_have_one_token() -> None:
    """The app needs none where there is no such cluster."""
    variables = [
        {one["name"]: one for one in container["env"]}
        for pod in pods()
        for container in pod["containers"]
    ]
    with_ray = [one for one in variables if "RAY_AUTH_TOKEN" in one]
    (app,) = (one for one in with_ray if "VIT_EXPLAINER_CLASSROOMS" in one)
    assert len(with_ray) == 3 and all(one["RAY_AUTH_MODE"]["value"] == "token" for one in with_ray)
    secrets = [dict(one["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]) for one in with_ray]
    needed = [secret.pop("optional", False) for secret in secrets]
    assert secrets == [{"name": "ray-token", "key": "token"}] * 3
    assert sorted(needed) == [False, False, True]
    assert app["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]["optional"]
    # either may reach the other
    ways = {name: one_object("NetworkPolicy", name)["spec"] for name in ("ray", "ray-to-replicas")}
    sources = {
        one["podSelector"]["matchLabels"]["app"] for one in ways["ray"]["ingress"][0]["from"]
    }
    assert sources == {"vit-explainer", "vit-explainer-ray"}
    assert ways["ray-to-replicas"]["podSelector"]["matchLabels"] == {"app": "vit-explainer"}
    cluster = one_object("RayCluster", "ray")["metadata"]["name"]
    assert app["RAY_ADDRESS"]["value"] == f"{cluster}-head-svc:6379"


def test_the_limits_for_streamlit_cloud_are_whole_and_smaller() -> None:
    small, usual = (read_limits(path, 2) for path in (DEPLOY / "streamlit-cloud.toml", FILE))
    assert small.large_models == 0 and small.data_downloads == 0 and small.runs_at_once == 1
    assert small.worker_megabytes < usual.worker_megabytes
    assert small.worker_idle_seconds < usual.worker_idle_seconds
    # what the page Train proposes first is allowed
    preset = PRESETS["fast"]
    small.check(preset.model, preset.train)


def test_the_lock_is_of_these_requirements() -> None:
    """Where this fails, ``python deploy/lock.py`` writes it anew."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (own,) = (one for one in LOCK["package"] if one["name"] == "vit-explainer")
    asked = list(project["dependencies"])
    for extra, names in project["optional-dependencies"].items():
        asked += [f"{name} ; extra == '{extra}'" for name in names]

    def text(entry: dict[str, Any]) -> str:
        extras = f"[{','.join(entry['extras'])}]" if "extras" in entry else ""
        marker = f" ; {entry['marker']}" if "marker" in entry else ""
        return f"{entry['name']}{extras}{entry.get('specifier', '')}{marker}"

    assert sorted(asked) == sorted(map(text, own["metadata"]["requires-dist"]))


def test_the_lock_has_what_is_pinned_from_python_s_own_index() -> None:
    locked = {(one["name"], one.get("version")) for one in LOCK["package"]}
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = {tuple(re.sub(r"\[.*\]", "", line).split("==")) for line in lines if "==" in line}
    assert pins <= locked
    hosts = set(re.findall(r"https?://[^/\"]+", (PROJECT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
