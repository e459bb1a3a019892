"""Configuration files: one YAML file says everything that a workflow needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bigrock.errors import ConfigError

if TYPE_CHECKING:
    from bigrock.workflows.permeability.network_settings import PermeabilityJob
    from bigrock.workflows.settings import SegmentJob
    from bigrock.workflows.shale.settings import ShaleJob

__all__ = ["load_config"]

_WORKFLOWS = ("segment", "shale", "permeability")


def load_config(
    path: str | os.PathLike[str], *, expected: str | None = None, **replaced: Any
) -> SegmentJob | ShaleJob | PermeabilityJob:
    r"""Return the job that a configuration file describes, all defaults filled in.

    Parameters
    ----------
    path : str or path-like
        A YAML file with the key ``workflow``; `configs` has a commented one for each workflow.
    expected : str, optional
        The workflow that is wanted; a file of another one is refused before its keys are looked at.
    **replaced
        Keys of the outermost level that replace those of the file; None replaces nothing.

    Returns
    -------
    SegmentJob, ShaleJob or PermeabilityJob
        By the key ``workflow``.

    Raises
    ------
    ConfigError
        If the file is not there, no YAML, or for another workflow; if a key is unknown, missing or given
        twice, or a value is not allowed. Names the key, the value and what is allowed.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "job.yaml"
    >>> _ = file.write_text("workflow: segment\nsource: core.tif\nfolder: core\n")
    >>> load_config(file, folder="elsewhere").folder
    'elsewhere'
    """
    values = _parse(Path(path))
    workflow = values.get("workflow")
    if workflow not in _WORKFLOWS:
        raise ConfigError(
            f"{path}: key workflow: {workflow!r} is not allowed, it says what the file is for. "
            f"Use one of: {', '.join(_WORKFLOWS)}."
        )
    if expected is not None and workflow != expected:
        raise ConfigError(
            f"{path} is a job of another workflow, {workflow}. Use one with workflow: {expected}."
        )
    try:
        return _job(workflow)(**values | {key: value for key, value in replaced.items() if value is not None})
    except ConfigError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def _job(workflow: str) -> Any:
    """Return the model of a workflow's job."""
    if workflow == "shale":
        from bigrock.workflows.shale.settings import ShaleJob

        return ShaleJob
    if workflow == "permeability":
        from bigrock.workflows.permeability.network_settings import PermeabilityJob

        return PermeabilityJob
    from bigrock.workflows.settings import SegmentJob

    return SegmentJob


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise ConfigError(f"key {key} is given twice, again in line {line}: one would be ignored.")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"configuration file {path} cannot be read ({error.strerror}). Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text file ({error}). Give a YAML file.") from error
    try:
        values = yaml.load(text, _StrictLoader)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error} Keep one of them.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}. Correct that line.") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{path} holds no keys. Begin with 'workflow: segment'; configs/ has examples.")
    return values
