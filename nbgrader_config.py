"""The course, as nbgrader sees it. Every nbgrader command that runs in this folder reads this file."""

import sys
import warnings
from pathlib import Path

from nbgrader.converters.base import BaseConverter
from sqlalchemy.exc import SAWarning

sys.path.insert(0, str(Path(__file__).resolve().parent))
c = get_config()  # noqa: F821 (nbgrader defines it)
try:
    from grading import autograde, feedback, release
except Exception as error:
    # nbgrader would go on without it, and run learners' code as a program of yours.
    why = f"Nothing was done, as grading cannot be loaded in this environment: {error}"
    BaseConverter.start = lambda converter: sys.exit(why)
else:
    autograde.configure(c)
    feedback.configure()
    release.configure(c)

c.CourseDirectory.course_id = "minitorch"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.solution_directory = "solutions"
# A learner's own, which a run of the notebook leaves beside it: see checks/progress.py.
# What is only the author's lies in author/.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "progress.json", "author"]

# A stub is a statement that does nothing, so an untouched notebook runs from top to bottom.
c.ClearSolutions.code_stub = {"python": "..."}

# Cells with this tag show PyTorch to the learner; grading has no use for them.
c.ExecutePreprocessor.skip_cells_with_tag = "torch"
c.ExecutePreprocessor.timeout = 60  # seconds a cell; the longest one trains the model in a few
c.ExecutePreprocessor.shutdown_kernel = "immediate"

# nbgrader's own queries warn under newer SQLAlchemy, once for each learner; there is nothing to do about it here.
warnings.filterwarnings("ignore", category=SAWarning)
