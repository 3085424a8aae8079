"""Chromium, driven over a pipe by its own protocol (DevTools): no port, no library, no other program in between."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from select import select
from time import monotonic
from typing import Any, Self

from tests.patience import PATIENCE

OPTIONS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
# Chromium reads its orders from descriptor 3 and answers on 4, whatever numbers the pipes have here.
TAKE_PIPES = """import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, 3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """A browser without a window; loopback is all the network it has. A context manager.

    Args:
        program: the path of Chromium.
        folder: for its profile and log; made.
    """

    def __init__(self, program: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._program = folder, program
        self._number, self._read = 0, b""
        self._events: list[dict[str, Any]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        orders_out, self._orders = os.pipe()
        self._answers, answers_in = os.pipe()
        options = [*OPTIONS, f"--user-data-dir={self._folder}/profile"]
        log = self._stack.enter_context((self._folder / "chromium.log").open("wb"))
        self._process = subprocess.Popen(
            [sys.executable, "-Sc", TAKE_PIPES, str(orders_out), str(answers_in), self._program, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(orders_out, answers_in),
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(orders_out)
        os.close(answers_in)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(AssertionError, OSError):
            self.tell("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._orders)
        os.close(self._answers)
        self._stack.close()

    def tell(self, method: str, session: str | None = None, **facts: object) -> dict[str, Any]:
        """Send a command and wait for its answer; a refusal is a failure."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": facts} | ({"sessionId": session} if session else {})
        data = json.dumps(order).encode() + b"\0"
        while data:
            data = data[os.write(self._orders, data) :]
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, f"{method}: {heard['error']}"
                found: dict[str, Any] = heard["result"]
                return found
            self._events.append(heard)

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """Wait for an event of a tab; those that came before it stay to be asked for."""
        for number, event in enumerate(self._events):
            if event.get("method") == method and event.get("sessionId") == session:
                return self._events.pop(number)
        while True:
            heard = self._hear()
            if heard.get("method") == method and heard.get("sessionId") == session:
                return heard
            self._events.append(heard)

    def take_events(self, session: str) -> list[dict[str, Any]]:
        """Return and clear the events of a tab."""
        found = [event for event in self._events if event.get("sessionId") == session]
        self._events = [event for event in self._events if event.get("sessionId") != session]
        return found

    def _hear(self) -> dict[str, Any]:
        end = monotonic() + PATIENCE
        while b"\0" not in self._read:
            ready, _, _ = select([self._answers], [], [], max(end - monotonic(), 0))
            assert ready, f"the browser said nothing for {PATIENCE:g} s"
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, f"the browser ended: {(self._folder / 'chromium.log').read_text(errors='replace')[-2000:]}"
            self._read += chunk
        message, _, self._read = self._read.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    @contextmanager
    def tab(self) -> Iterator["Tab"]:
        """Open a tab, and close it in the end."""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable", session)
        yield Tab(self, session)
        self.tell("Target.closeTarget", targetId=target)


class Tab:
    """One page at a time."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def tell(self, method: str, **facts: object) -> dict[str, Any]:
        """Send a command for this tab."""
        return self._browser.tell(method, self._session, **facts)

    def looks(self, *, width: int, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Set how large and dark what is opened next is, and whether its scripts run; ours always do."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}  # colours change at once
        self.tell("Emulation.setEmulatedMedia", features=[scheme, still])
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)

    def opens(self, url: str) -> None:
        """Open a page and wait until it has loaded."""
        self._browser.take_events(self._session)
        self.tell("Page.navigate", url=url)
        self._browser.wait_for("Page.loadEventFired", self._session)

    def prints(self, *, dark: bool = False) -> None:
        """Show the page as on paper, until `looks` says otherwise."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", media="print", features=[scheme])

    def asked(self) -> list[str]:
        """Return the kinds of what was requested since the page was opened: Document, Stylesheet, Image, ..."""
        events = self._browser.take_events(self._session)
        return [event["params"]["type"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """Return what stands in the console, and what failed to load, since the page was opened."""
        found = []
        for event in self._browser.take_events(self._session):
            facts = event.get("params", {})
            if event["method"] == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
                found.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")
            elif event["method"] == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
                found.append(str(facts["args"]))
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(facts["exceptionDetails"]["text"])
        return found

    def evaluates(self, script: str) -> Any:
        """Run a script of ours and give what it comes to; promises are waited for."""
        answer = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def presses(self, *keys: str) -> None:
        """Press keys, one after the other: Tab, Enter."""
        codes = {"Tab": 9, "Enter": 13, "Space": 32}
        for key in keys:
            text = {"text": "\r"} if key == "Enter" else {}
            facts = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
            self.tell("Input.dispatchKeyEvent", type="keyDown", **facts, **text)
            self.tell("Input.dispatchKeyEvent", type="keyUp", **facts)

    def shoots(self, path: Path, *, full: bool = True, most: int = 6000) -> None:
        """Take a picture, of the whole page unless it is too long."""
        size = self.tell("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        facts = {"clip": clip, "captureBeyondViewport": True} if full else {}
        data = self.tell("Page.captureScreenshot", format="png", **facts)["data"]
        path.write_bytes(base64.b64decode(data))


def problems_of(tab: Tab, *, tags: Sequence[str]) -> list[str]:
    """Run axe-core, which was put into the page before, and give each violation with the places it is at."""
    run = f"axe.run(document, {{runOnly: {json.dumps(list(tags))}}}).then(found => JSON.stringify(found.violations))"
    found = json.loads(tab.evaluates(run))
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for violation in found
        for node in violation["nodes"]
    ]
