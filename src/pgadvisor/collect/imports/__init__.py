"""History that others collected: files, and the tables of PoWA and pgwatch."""

from pgadvisor.collect.imports.files import FileSource
from pgadvisor.collect.imports.options import Counting, ImportOptions, Missing, Side

__all__ = ["Counting", "FileSource", "ImportOptions", "Missing", "Side"]
