"""``bigrock cluster``: local Dask workers that other commands can use."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json

__all__ = ["cluster"]


@command(
    "bigrock cluster --workers 4 --memory '8 GiB'",
)
def cluster(
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes (default: one per core).")
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads in each.")] = 1,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="Memory of each, such as '8 GiB'.")] = "auto",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, help="Of the scheduler; 0 takes a free one.")
    ] = 8786,
    dashboard: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of Dask's dashboard, such as ':8787' (default: none)."),
    ] = None,
    json: o.Json = False,
) -> None:
    """Run Dask workers on this machine until Ctrl-C; other commands join with --executor ADDRESS.

    Not needed for one machine, where threads are the default and start at once.
    """
    import signal
    import threading

    import bigrock

    with bigrock.cluster(
        workers=workers,
        threads=threads,
        memory=memory,
        scheduler_port=port,
        dashboard_address=dashboard,
    ) as client:
        address = client.scheduler_info()["address"]
        if json:
            show_json({"address": address, "workers": len(client.scheduler_info(n_workers=-1)["workers"])})
        else:
            say(f"scheduler at {address}; use it with --executor {address}; stop it with Ctrl-C")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
