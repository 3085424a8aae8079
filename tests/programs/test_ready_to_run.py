"""What docs/run.md offers to run at once: systemd units, container files, and short configurations of web servers."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
import yaml

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.programs.program import Program
from tests.running import Running
from tests.sample_site import SampleSite
from tests.stores import is_file, url_of

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "packaging" / "systemd"
PATHS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
NGINX, CADDY = shutil.which("nginx", path=PATHS), shutil.which("caddy", path=PATHS)
SYSTEMD = shutil.which("systemd-analyze", path=PATHS)
EXPOSURE = 12  # tenths, of 100: what is left is the network, which the program is for
TYPES = {
    "category/general.atom": "application/atom+xml",
    "category/general.rss": "application/rss+xml",
    "category/general.json": "application/feed+json",
    "category/general.opml": "text/x-opml",
    "index.html": "text/html",
    "style.css": "text/css",
}

pytestmark = pytest.mark.service


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of docs/run.md in a language."""
    text = (ROOT / "docs" / "run.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def ask(port: int, path: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in fields.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze")
@pytest.mark.parametrize("name", sorted(path.name for path in UNITS.glob("*.service")))
def test_the_units_are_valid_and_closely_bound(name: str, tmp_path: Path) -> None:
    assert SYSTEMD is not None
    rated = subprocess.run(
        [SYSTEMD, "security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", UNITS / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout
    for unit in UNITS.glob("*.*"):
        if unit.suffix in (".service", ".timer"):  # verified where its program is there
            text = unit.read_text(encoding="utf-8").replace("/opt/aggregator/bin/aggregator", "/bin/true")
            (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = [tmp_path / name, *tmp_path.glob("*.timer")]
    verified = subprocess.run([SYSTEMD, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_units_say_the_same_of_rights() -> None:
    both = [set(path.read_text(encoding="utf-8").splitlines()) for path in sorted(UNITS.glob("*.service"))]
    different = {line.partition("=")[0] for line in both[0] ^ both[1]} - {""}
    named = {line for line in different if line[0].isupper() or line.startswith("System")}
    assert named == {
        "Description", "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "TimeoutStopSec",
        "SocketBindAllow", "WantedBy",
    }  # fmt: skip


def test_the_container_has_what_it_copies_and_its_health_check_works(sample_site: SampleSite) -> None:
    text = (ROOT / "packaging" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    copied = [name for step, said in steps if step == "COPY" and "--from" not in said for name in said.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    ignored = (ROOT / "packaging" / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    said = dict(steps)
    assert said["USER"] == "10001:10001"
    command = json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"])
    assert command == ["aggregator", "-c", "/srv/planet/feeds.yaml", "serve", "--last-good"]
    check = json.loads(said["HEALTHCHECK"].partition("CMD")[2])
    compose = yaml.safe_load((ROOT / "packaging" / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["aggregator"]
    assert service["healthcheck"]["test"] == ["CMD", *check]
    assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])
    assert (ROOT / "packaging" / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    with serving(sample_site) as port:
        here = [part.replace(":8080", f":{port}") for part in check]
        assert subprocess.run(here, check=False, env={"PATH": PATHS}).returncode == 0
    assert subprocess.run(here, check=False, env={"PATH": PATHS}, stderr=subprocess.DEVNULL).returncode == 1


@contextmanager
def serving(site: SampleSite) -> Iterator[int]:
    """Run `serve --last-good` over a sample site, and yield its port."""
    (site.folder / "a.xml").write_bytes(b"<rss version='2.0'><channel><title>T</title><item><guid>1</guid>"
                                        b"<title>One</title></item></channel></rss>")  # fmt: skip
    store = "" if is_file() else f"store: {url_of(site.folder)}\n"
    with Running(site.folder, f"{store}sources: [{{kind: file, url: a.xml}}]\n") as running:
        running.wait_for(lambda: running.get("category/general.atom")[0] == 200)
        yield running.port


def checked(port: int, *, is_proxy: bool) -> None:
    """Look at what a web server answers for each kind of file."""
    for name, expected in TYPES.items():
        status, headers, body = ask(port, f"/{name}")
        assert (status, headers["content-type"].partition(";")[0]) == (200, expected), name
        assert "max-age=" in headers["cache-control"]
        packed = ask(port, f"/{name}", Accept_Encoding="gzip")
        assert packed[1].get("content-encoding") == "gzip", name
        tag = headers.get("etag", "")
        assert ask(port, f"/{name}", If_None_Match=tag)[0] == 304, name
        assert body
    status, headers, body = ask(port, "/nothing.html", Accept="text/html")
    assert (status, b"<html" in body) == (404, True)
    assert is_proxy == (ask(port, "/healthz")[0] == 200)


def with_nginx(site: str, port: int, folder: Path) -> tuple[list[str], str]:
    assert NGINX is not None
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    rest = " ".join(f"{name}_temp_path {folder};" for name in "client_body proxy fastcgi uwsgi scgi".split())
    config = (
        f"daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;\n"
        f"events {{}}\nhttp {{ access_log off; {rest}\n{site}\n}}\n"
    )
    return [NGINX, "-e", "stderr", "-p", str(folder), "-c", str(folder / "config")], config


def with_caddy(site: str, port: int, folder: Path) -> tuple[list[str], str]:
    assert CADDY is not None
    site = site.replace("planet.example.org {", f"http://127.0.0.1:{port} {{")
    return [CADDY, "run", "--config", str(folder / "config"), "--adapter", "caddyfile"], f"{{\n admin off\n}}\n{site}"


SERVERS: dict[str, tuple[str | None, Callable[[str, int, Path], tuple[list[str], str]]]] = {
    "nginx": (NGINX, with_nginx),
    "caddy": (CADDY, with_caddy),
}


@pytest.mark.parametrize("server", SERVERS)
def test_the_short_configurations_serve_a_planet(server: str, sample_site: SampleSite, tmp_path: Path) -> None:
    program, configured = SERVERS[server]
    if program is None:
        pytest.skip(f"there is no {server}")
    proxy, static = blocks(server)
    with serving(sample_site) as served:
        for place, text in enumerate((proxy, static)):
            port, folder = free_port(), tmp_path / f"{server}{place}"
            folder.mkdir()
            text = text.replace("127.0.0.1:8080", f"127.0.0.1:{served}")
            text = text.replace("/srv/planet/public", str(sample_site.folder / "public"))
            command, config = configured(text, port, folder)
            (folder / "config").write_text(config, encoding="utf-8")
            web = Program(command, folder)
            web.start(partial(answers, port))
            try:
                checked(port, is_proxy=text.count("127.0.0.1") > 0)
            finally:
                web.stop(within=10)


def answers(port: int) -> bool:
    try:
        return ask(port, "/index.html")[0] == 200
    except ConnectionRefusedError:
        return False
