"""Mistakes with modules."""

from __future__ import annotations

from workshop.changes import below, by_value, part, without_own
from workshop.mistakes.known import known

# ---------------------------------------------------------------- modules

MODULES = "PyTorch architecture"


known(
    "parameters-nested-missing",
    "module",
    "parameters() leaves out those of sub-modules",
    "A network is a module made of layers. Where are its weights?",
    "The module's own parameters, then those of every sub-module: each of them has parameters(), too.",
    MODULES,
)
known(
    "modules-by-name",
    "module",
    "a loop goes through the names of sub-modules, not through the sub-modules",
    "A dictionary has names, and what stands under them. Which of the two does `for each in dictionary` hand out?",
    "for module in self.__sub_modules.values(): without .values() it hands out the names.",
    MODULES,
)
known(
    "parameters-some-modules",
    "module",
    "parameters() reaches some of the sub-modules only",
    "Is there a return inside the loop over the sub-modules, or does one take the other's place?",
    "Go through all of them, and return after the loop.",
    MODULES,
)
known(
    "parameters-kept-between-calls",
    "module",
    "parameters() still holds what it held when it was called before",
    "Where does the list begin to exist: in the call, or before it?",
    "Make it in parameters(): found = []. A default argument, found=[], or an attribute is the same one in each call.",
    MODULES,
)
known(
    "parameters-used-up",
    "module",
    "a second call of parameters() finds less than the first one",
    "What does the first call leave behind, and where does it stand: in the call, or outside it?",
    "What was visited is a matter of one call: make the set in it, and hand it on to those of the sub-modules.",
    MODULES,
)
known(
    "parameters-of-first-call",
    "module",
    "parameters() lists what was there when it was called first, whatever was assigned since",
    "What does the second call do: look again, or give back what the first one found?",
    "Collect anew in each call: modules change between two calls.",
    MODULES,
)
known(
    "parameters-of-all-modules",
    "module",
    "parameters() of a new module holds those of other modules",
    "Whose dictionary is it: the object's, or the class's?",
    "Make it in __init__, one for each object: what stands in the class itself is shared by all.",
    MODULES,
)
known(
    "parameters-one-level",
    "module",
    "parameters() leaves out those of modules in modules",
    "It works for one level. What does a sub-module do about *its* sub-modules?",
    "Call parameters() of each sub-module: recursion reaches any depth.",
    MODULES,
)
known(
    "parameters-own-missing",
    "module",
    "parameters() leaves out the module's own ones",
    "Which parameters were assigned to the module itself?",
    "Start with self.__parameters.values(), then add those of the sub-modules.",
    MODULES,
    part(parameters=without_own),
    part(parameters=lambda module: []),
)
known(
    "parameters-shared-twice",
    "module",
    "a shared parameter is listed twice",
    "Two names, one object. How often would the optimizer move it?",
    "list(dict.fromkeys(found)) keeps each object once.",
    MODULES,
)
known(
    "parameters-replaced-kept",
    "module",
    "a parameter or module that was replaced is still listed",
    "m.first was assigned twice. Which object does m.first name now?",
    "Keep parameters by name in a dictionary: a new one takes the old one's place.",
    MODULES,
)
known(
    "parameters-not-parameters",
    "module",
    "parameters() holds something else than Parameters",
    "What does an optimizer do with each thing in the list?",
    "List the Parameter objects themselves, in one flat list.",
    MODULES,
)
known(
    "call-returns-nothing",
    "module",
    "calling a module gives None",
    "Where does the result of forward go?",
    "return self.forward(x).",
    MODULES,
)
known(
    "parameters-by-value",
    "module",
    "different parameters with equal values are listed once",
    "Are two parameters the same because they hold the same numbers?",
    "Sharing means being the same object: compare with `is`, or by id(parameter).",
    MODULES,
    part(parameters=by_value),
)
known(
    "parameters-by-name",
    "module",
    "of parameters with the same name in different modules only one is listed",
    "Every Linear has a `weight`. What happens to a dictionary with the key 'weight'?",
    "The key is the object itself, not its name: dict.fromkeys(found).",
    MODULES,
    part(parameters=lambda module: list(dict(reversed(below(module))).values())),
    part(parameters=lambda module: list(dict(below(module)).values())),
)
