"""Leave a pid file, then become the program: `python -m pyispyb_local.enter FILE PROGRAM …`."""

import os
import sys
from pathlib import Path

from pyispyb_local.processes import write_mark


def main() -> None:
    """The program keeps the pid and the start time that the file tells."""
    _, pid_file, *command = sys.argv
    write_mark(Path(pid_file))
    os.execvp(command[0], command)  # noqa: S606 - the command comes from our own plan


if __name__ == "__main__":
    main()
