"""Run as a program by test_supervision.py: supervises two shell commands under FOLDER as the demo does its servers.

One command starts a child in a session of its own, which no signal to a process group reaches.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from ops.embedded.programs import Folders, Program
from ops.embedded.stack import SIGNALS, supervised


def stop(number: int, frame: object) -> None:
    raise SystemExit(0)


def main(folder: Path) -> None:
    for number in SIGNALS:
        signal.signal(number, stop)
    program = [sys.executable, "-c"]
    deserter = (
        "import os, subprocess, sys, time;"
        f"child = subprocess.Popen(['sleep', '300'], start_new_session=True);"
        f"open({str(folder / 'deserter')!r}, 'w').write(str(child.pid)); time.sleep(300)"
    )
    plain = f"import os, time; open({str(folder / 'plain')!r}, 'w').write(str(os.getpid())); time.sleep(300)"
    servers = [Program("deserter", [*program, deserter]), Program("plain", [*program, plain])]
    with supervised(servers, Folders(folder), os.environ, lambda program, seconds: None) as census:
        while not all((folder / name).exists() and (folder / name).read_text() for name in ("deserter", "plain")):
            time.sleep(0.05)
        census.sample()
        print("up", flush=True)
        with contextlib.suppress(ValueError):
            sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
