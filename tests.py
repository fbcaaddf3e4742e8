"""What the notebook beside this file imports: its tests, which are in source/workshop/workshop/."""

import sys
from pathlib import Path

for name in ["workshop"]:
    sys.path.append(str(Path(__file__).parent / "source" / name))

from workshop.tests import *  # noqa: E402, F403
