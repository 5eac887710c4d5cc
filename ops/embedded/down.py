"""`make down`: ends the demo of this checkout, however it was left, and removes `var/`. Touches nothing else."""

import shutil
import sys
from pathlib import Path

import psutil

from ops.embedded.processes import end, read_record, recorded
from ops.embedded.programs import Folders
from ops.embedded.stack import RECORD
from ops.embedded.supervision import socket_path

STOP_SECONDS = 40.0


def main(project: Path) -> int:
    folders = Folders(project)
    record = folders.run / RECORD
    stop_demo(record)
    end(recorded(read_record(record)))
    socket_path(folders.run).unlink(missing_ok=True)
    if folders.var.is_symlink():
        print(f"make down: {folders.var} is a link: remove what it leads to by hand", file=sys.stderr)
        return 1
    if folders.var.exists():
        shutil.rmtree(folders.var)
    return 0


def stop_demo(record: Path) -> None:
    """Ask a running demo to end in order, which takes its servers with it. Its id is in the record that it keeps."""
    for process in recorded(read_record(record)):
        try:
            if "ops.embedded.demo" in process.cmdline():
                process.terminate()
                process.wait(STOP_SECONDS)
        except psutil.Error:
            continue


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
