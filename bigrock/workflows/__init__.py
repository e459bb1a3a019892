"""One function per question that a user asks; each ends with a report page.

`segment` is the main job: a scan becomes a pore mask, its numbers and a page. Its settings are a
`SegmentSettings`, or a YAML file that `load_config` reads. `shale` goes from a FIB-SEM stack to organic porosity,
`permeability` from a coarse scan of a core to its permeability. Heavy packages load when a job runs.
"""

# Not lazy: the functions have the names of their modules, and whichever is imported last keeps the name.
from bigrock.workflows import permeability, shale
from bigrock.workflows.config_file import load_config
from bigrock.workflows.demo import demo
from bigrock.workflows.kernel_text import kernel_vocabulary, parse_kernel
from bigrock.workflows.measure_text import measure_vocabulary, parse_measures
from bigrock.workflows.segment import SegmentResult, segment
from bigrock.workflows.settings import SegmentJob, SegmentSettings

__all__ = [
    "SegmentJob",
    "SegmentResult",
    "SegmentSettings",
    "demo",
    "kernel_vocabulary",
    "load_config",
    "measure_vocabulary",
    "parse_kernel",
    "parse_measures",
    "permeability",
    "segment",
    "shale",
]
