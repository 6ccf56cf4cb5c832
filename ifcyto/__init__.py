"""Open imaging flow cytometry, from instrument files to a reproducible report.

Importing this package loads nothing heavy: every name below is fetched from
its own module when it is first used.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
