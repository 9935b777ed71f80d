"""History that others collected: files, and the tables of PoWA and pgwatch."""

from pgadvisor.collect.imports.files import FileSource
from pgadvisor.collect.imports.options import Counting, ImportOptions, Missing, Side
from pgadvisor.collect.imports.pgwatch import pgwatch_sources
from pgadvisor.collect.imports.powa import powa_sources
from pgadvisor.collect.imports.repository import repository

__all__ = [
    "Counting",
    "FileSource",
    "ImportOptions",
    "Missing",
    "Side",
    "pgwatch_sources",
    "powa_sources",
    "repository",
]
