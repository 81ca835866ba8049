"""A peer that hangs: its connections stay open, and nothing answers."""

import os
import signal
import subprocess


def pause(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Stop it; all of its threads have stopped when this returns."""
    process.send_signal(signal.SIGSTOP)
    # A thread may answer once more before the signal is heard.
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def resume(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Let it go on."""
    process.send_signal(signal.SIGCONT)
