"""The colours of charts: those of Okabe and Ito for improvement and concern, greys for the rest.

A page in the dark gives each of them another one, so no two are the same. None of them says
anything that a shape or a word does not say too.
"""

from typing import Final

INK: Final = "#222222"
QUIET: Final = "#5a5a5a"
GRID: Final = "#d6d6d6"
BAND: Final = "#ececec"
BAR: Final = "#b4b4b4"
USUAL: Final = "#7f7f7f"
BETTER: Final = "#0072b2"
CONCERN: Final = "#d55e00"
PAPER: Final = "#ffffff"
