"""The instructor's side: grading a class and reading the results. Imports `checks`, never the other way."""

import sys

if sys.platform == "win32":
    raise ImportError("grading needs Linux or macOS. On Windows use WSL2: see docs/instructor.md")
