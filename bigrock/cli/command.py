"""What every command does the same: errors in one line, exit codes, ``--debug``, warnings."""

from __future__ import annotations

import functools
import inspect
import signal
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from bigrock.cli.printing import complain
from bigrock.cli.wording import in_options
from bigrock.errors import BigrockError, ParameterError, UnsupportedFormatError

__all__ = ["command", "examples_text"]

_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def command(*examples: str, continues: bool = False) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that makes a function a command of ``bigrock``.

    Its errors become messages on stderr and an exit code: 2 for a value or configuration that is
    not allowed, 1 for what failed. The option ``--debug`` is added, and `examples` as its help's end.

    Parameters
    ----------
    *examples : str
        Command lines, for the help.
    continues : bool
        Whether the same command goes on where it was interrupted; one with ``--no-resume`` does anyway.

    Examples
    --------
    >>> @command("bigrock greet Alice")
    ... def greet(name: str) -> None:
    ...     pass
    >>> list(inspect.signature(greet).parameters)
    ['name', 'debug']
    """

    def decorate(function: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def guarded(*, debug: bool, **values: Any) -> None:
            _guard(function, debug, values, continues)

        signature = inspect.signature(function, eval_str=True)
        option = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Debug)
        parameters = [*signature.parameters.values(), option]
        made: Any = guarded
        made.__signature__ = signature.replace(parameters=parameters)
        made.__annotations__ = {p.name: p.annotation for p in parameters}
        made.examples = examples_text(*examples)
        return made

    return decorate


def _guard(function: Callable[..., None], debug: bool, values: dict[str, Any], continues: bool) -> None:
    """Run a command; turn what it raises into a message and an exit code."""

    def show_warning(message: Warning | str, *rest: Any, **options: Any) -> None:
        complain(_in_options(str(message), values), "warning")

    with warnings.catch_warnings(), _ended_by_signal():
        warnings.showwarning = show_warning
        try:
            function(**values)
        except (Exception, KeyboardInterrupt) as error:
            if debug or isinstance(error, typer.Exit | typer.Abort | typer.BadParameter):
                raise
            raise typer.Exit(_explain(error, values, continues)) from None


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let SIGTERM, which queues and machines send that shut down, end a command as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _explain(error: BaseException, options: Collection[str], continues: bool) -> int:
    """Write what went wrong to stderr, in the words of the command line; return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        resumable = continues or "no_resume" in options or {"executor", "overwrite"} <= set(options)
        without = " (without --overwrite)" if "overwrite" in options else ""
        continued = f"What was finished is kept: the same command continues it{without}."
        complain(f"interrupted. {continued if resumable else 'Nothing was written.'}")
        return 1
    if isinstance(error, BigrockError):
        complain(_in_options(str(error), options))
        return 2 if isinstance(error, ParameterError | UnsupportedFormatError) else 1
    if isinstance(error, OSError) and error.filename:
        complain(
            f"{error.filename}: {error.strerror}. Check the path, and whether you may read and write there."
        )
        return 1
    complain(f"{type(error).__name__}: {error}")
    complain("this was not expected. Run the command again with --debug to see where.", "hint")
    return 1


def _in_options(message: str, options: Collection[str]) -> str:
    return in_options(message, options, {"boundary": "bc"} if "bc" in options else None)


def examples_text(*lines: str) -> str:
    r"""Return the examples of a command for the end of its help, one line each.

    Parameters
    ----------
    *lines : str
        Command lines.

    Examples
    --------
    >>> examples_text("bigrock info core.zarr")
    'Examples:\n\n\x08\nbigrock info core.zarr'
    """
    return "Examples:\n\n\b\n" + "\n".join(lines)
