"""matplotlib, imported where no file of the working directory has a say.

It reads a `matplotlibrc` there before all others, and runs what stands in it in versions before
3.11: https://matplotlib.org/stable/users/explain/customizing.html#the-matplotlibrc-file.
So it is imported from the folder of Python itself, which is the whole process's for a
moment: who has several threads imports this before they begin.
"""

import os
from contextlib import chdir

with chdir(os.path.dirname(os.__file__)):
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import Rectangle

__all__ = ["Axes", "Figure", "FontProperties", "PolyCollection", "Rectangle", "matplotlib"]
