"""Settings that a command is asked for: NAME_COMMAND runs a program of the operator's, such as one that asks a vault or
a key service, and what it prints is the value."""

import shlex
import subprocess

SUFFIX = "_COMMAND"
SECONDS = 30.0
LONGEST = 100_000


def answer(name: str, command: str, problems: list[str]) -> str:
    """Return what the command prints, without white space around it; what goes wrong is a sentence of `problems`.

    It runs without a shell and once for each start: what is handed down to our processes is the value. What it prints
    or complains of is never repeated.
    """
    try:
        argv = shlex.split(command)
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
        text = done.stdout.decode().strip()
    except subprocess.TimeoutExpired:
        problems.append(f"{name}{SUFFIX} has not answered for {SECONDS:.0f} seconds")
    except (OSError, ValueError) as error:  # ValueError: a quote that is not closed, or bytes that are no text
        problems.append(f"{name}{SUFFIX} cannot be asked ({type(error).__name__})")
    else:
        if done.returncode == 0 and text and len(text) <= LONGEST:
            return text
        problems.append(f"{name}{SUFFIX} ended with {done.returncode} and no value that could be used")
    return ""
