"""What the notebook beside this file imports: its tests, which are in classify/."""

from classify.tests import *
