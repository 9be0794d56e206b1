"""The charts of a report, each in a module that names it and has a `picture(report)`.

A picture is words and a way to draw it (`picture`); the sheet it is drawn on, with its type,
colours and file formats, is the business of `canvas`; what it draws comes from the report by way
of `series`. Only `canvas` imports matplotlib, and only when something is drawn.
"""
