"""The command line, ``bigrock``: one module per command, which parses its arguments and prints.

The work is done by the library, which each command imports when it runs, so that ``--help`` is
immediate. Results go to stdout, everything else to stderr; with ``--json`` stdout is one JSON value.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
"""

from bigrock.cli.app import app, main

__all__ = ["app", "main"]
