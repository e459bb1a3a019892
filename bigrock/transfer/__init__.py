"""Import and export: voxels between other files and volumes.

They stand above the engine, because an import *is* a map pass whose source is another file: the
same blocks, the same done-log, the same plan.
"""

from bigrock.transfer.exporting import export_slice, export_volume
from bigrock.transfer.importing import import_source, import_volume

__all__ = ["export_slice", "export_volume", "import_source", "import_volume"]
