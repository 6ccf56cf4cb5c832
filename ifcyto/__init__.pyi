__version__: str

__all__ = [
    "Cell",
    "CellBatch",
    "CellStack",
    "Channel",
    "IfcytoError",
    "convert",
    "measure",
    "open_acquisition",
    "run_study",
]

from .cells import Cell, CellBatch, Channel
from .errors import IfcytoError
from .pipeline.convert import convert
from .pipeline.measure import measure
from .pipeline.run import run_study
from .readers.registry import open_acquisition
from .stack.cell_stack import CellStack
