"""The charts of a report, each in a module that names it and has a `picture(report)`.

A picture is words and a way to draw it (`chart`); the sheet it is drawn on, with its type and
colours, is the business of `canvas`, and the file it becomes that of `image`; what it draws comes
from the report by way of `series`. Only these two import matplotlib, by way of `library`, and only
when something is drawn.
"""
