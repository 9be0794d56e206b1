"""The places in which Python looks for modules and the system for programs: named in full.

The folder that a command is run in is none of them. It may be anybody's, as a clone is: what is
called `numpy.py` or `git` there is none of ours. Only what Python has loaded by then is imported.
"""

import os
import sys


def leave_out_working_directory(*, is_module: bool) -> None:
    """Look for what is imported or started from now on in places that are named in full.

    `is_module`: run by `python -m`, which puts the working directory first.
    https://docs.python.org/3/using/cmdline.html#cmdoption-m
    """
    # What is empty or relative there, Python has made absolute by now.
    # https://docs.python.org/3/using/cmdline.html#envvar-PYTHONPATH
    given = os.environ.get("PYTHONPATH")
    named = given.split(os.pathsep) if given else []
    here = {os.path.abspath(path) for path in named if not os.path.isabs(path)}
    if is_module and not sys.flags.safe_path:
        del sys.path[0]
    sys.path[:] = [path for path in sys.path if os.path.isabs(path) and path not in here]
    # An empty entry is the working directory too:
    # https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(filter(os.path.isabs, folders))
