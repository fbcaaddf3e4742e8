"""What the notebook beside this file imports: its tests, which are in workshop/."""

from workshop.tests import *
