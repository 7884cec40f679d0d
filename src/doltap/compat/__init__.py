"""Old programs: what they import, what they call things, and how they are run.

A door: what is here is defined in the modules of this folder.
"""

from doltap.compat.imports import install, real, uninstall

__all__ = ["install", "real", "uninstall"]
