"""A headless Chromium, spoken to by the DevTools protocol over two pipes: no port, and it ends when we do."""

import itertools
import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.online.toy import until

ANSWER_SECONDS = 120.0


class Browser:
    """Sends commands and keeps every event. The protocol: https://chromedevtools.github.io/devtools-protocol/"""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.Queue[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        threading.Thread(target=self._read, args=(answers,), daemon=True).start()

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command. Raises RuntimeError for what the browser refuses."""
        number = next(self._numbers)
        self._waiting[number] = queue.Queue()
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = self._waiting[number].get(timeout=ANSWER_SECONDS)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def page(self) -> "Page":
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        return Page(self, self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def _read(self, answers: int) -> None:
        with os.fdopen(answers, "rb") as stream:
            kept = b""
            while chunk := stream.read1(65536):
                *messages, kept = (kept + chunk).split(b"\0")
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._waiting[message["id"]].put(message)
                    else:
                        self.events.append(message)


class Page:
    """One tab, and all that it asked for, logged and threw."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **parameters)

    def events(self, method: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in list(self._browser.events)
            if event["method"] == method and event.get("sessionId") == self._session
        ]

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression. Raises RuntimeError with what it threw."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression: str, what: str) -> None:
        until(lambda: bool(self.evaluate(expression)), what)

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def prefer(self, theme: str) -> None:
        """`light` or `dark`."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def press(self, key: str, code: int, text: str = "") -> None:
        """A key by its name and Windows key code, such as ("Tab", 9)."""
        parameters = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **parameters)
        self.send("Input.dispatchKeyEvent", type="keyUp", **parameters)

    def requests(self) -> list[str]:
        """Every URL that was asked for."""
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]

    def last_body(self, path: str) -> Any:
        """The newest whole JSON answer from a URL that ends so."""
        whole = {event["requestId"] for event in self.events("Network.loadingFinished")}
        found = [
            event["requestId"]
            for event in self.events("Network.responseReceived")
            if event["response"]["url"].endswith(path) and event["requestId"] in whole
        ]
        return json.loads(self.send("Network.getResponseBody", requestId=found[-1])["body"])

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and exceptions that nobody caught."""
        logged = [event["entry"] for event in self.events("Log.entryAdded")]
        said = [event for event in self.events("Runtime.consoleAPICalled") if event["type"] in ("error", "warning")]
        thrown = [event["exceptionDetails"] for event in self.events("Runtime.exceptionThrown")]
        return [str(one) for one in [*(e for e in logged if e["level"] in ("error", "warning")), *said, *thrown]]


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [
            path, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
            # Root, as which images and build machines run tests, has no sandbox.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]  # fmt: skip
        # The browser reads commands from descriptor 3 and answers on 4.
        shell = f'exec "$@" 3<&{to_read} 4>&{from_write}'
        child = subprocess.Popen(
            ["/bin/bash", "-c", shell, "browser", *arguments],
            pass_fds=(to_read, from_write),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            browser = Browser(to_write, from_read)
            yield browser
            browser.send("Browser.close")
        finally:
            os.close(to_write)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()
