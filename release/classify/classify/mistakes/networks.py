"""Mistakes with networks: Sequential, initialization, state dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from classify.imitation import Change, Library, Module, part
from classify.mistakes.known import known

SEQUENTIAL = "Networks > Sequential"
INITIALIZATION = "Networks > Initialization"
STATE = "Networks > State dictionaries"
SECTION = "networks"


known(
    "sequential-order",
    SECTION,
    "the modules of Sequential are applied in another order, or not all of them",
    "Which module gets x, and which one gets what that one gives?",
    "for module in self.modules: x = module(x), then return x.",
    SEQUENTIAL,
    ("the modules are applied from the last to the first", part(in_order=lambda modules: modules[::-1])),
    ("what comes out is what the first module makes of x", part(in_order=lambda modules: modules[:1])),
    ("what comes out is what the last module makes of x", part(in_order=lambda modules: modules[-1:])),
    ("what comes out lacks the first module", part(in_order=lambda modules: modules[1:])),
    ("what comes out lacks the last module", part(in_order=lambda modules: modules[:-1])),
    ("a module that is there twice is applied once", part(in_order=lambda modules: list(dict.fromkeys(modules)))),
)
known(
    "sequential-not-registered",
    SECTION,
    "the modules of Sequential are in a list, which MyModule does not look into",
    "Which attributes does MyModule know: a list of modules, or each module as an attribute?",
    "setattr(self, str(number), module) for each of them.",
    SEQUENTIAL,
    lambda library: listed(library),
)
known(
    "kaiming-not-in-place",
    SECTION,
    "kaiming_normal makes a new tensor or array: who holds the old one does not see the numbers",
    "An optimizer may hold the parameter's tensor already. Does it see a new one?",
    "data = parameter.tensor.data, then data[...] = ...",
    INITIALIZATION,
)
known(
    "kaiming-alike",
    SECTION,
    "all rows, or all columns, hold the same numbers",
    "How many numbers are drawn for a weight of shape (200, 60)?",
    "One for each element: np.random.normal(0, deviation, data.shape).",
    INITIALIZATION,
)
known(
    "kaiming-adds",
    SECTION,
    "kaiming_normal adds to what the parameter holds",
    "What should be left of the numbers that were there before?",
    "data[...] = np.random.normal(...), not +=.",
    INITIALIZATION,
)
known(
    "kaiming-seeded",
    SECTION,
    "kaiming_normal draws the same numbers each time",
    "Two layers of one shape would begin alike. Who sets a seed?",
    "Draw with np.random, and leave its seed to whoever calls.",
    INITIALIZATION,
)
known(
    "kaiming-fan-out",
    SECTION,
    "the number of outputs is taken for that of the inputs",
    "A weight has shape (inputs, outputs). How many numbers are added up for one output?",
    "A weight has the shape (inputs, outputs): data.shape[0] is how many inputs there are.",
    INITIALIZATION,
)
known(
    "kaiming-variance",
    SECTION,
    "the variance is given where the standard deviation belongs: the root is missing",
    "2 / inputs is the square of what?",
    "np.random.normal takes the standard deviation: np.sqrt(2 / inputs).",
    INITIALIZATION,
)
known(
    "kaiming-no-root-two",
    SECTION,
    "the factor 2 is missing",
    "ReLU sets half of all to 0. What makes up for that?",
    "np.sqrt(2 / inputs).",
    INITIALIZATION,
)
known(
    "kaiming-other-fan",
    SECTION,
    "inputs and outputs are added: that is another initialization, Glorot's",
    "How many numbers are added up for one output?",
    "np.sqrt(2 / inputs), with the inputs only.",
    INITIALIZATION,
)
known(
    "kaiming-uniform",
    SECTION,
    "the numbers are of a uniform distribution, not of a normal one",
    "How far from 0 is the largest of 10,000 of them?",
    "np.random.normal(0, deviation, shape).",
    INITIALIZATION,
)
known(
    "kaiming-not-centered",
    SECTION,
    "the numbers do not lie around 0",
    "Should there be as many below 0 as above?",
    "np.random.normal(0, deviation, shape).",
    INITIALIZATION,
)


def states(state: Callable[[Library, Module, str], dict[str, Any]]) -> Change:
    return lambda library: library.__dict__.update(state=lambda module, before="": state(library, module, before))


def own_only(library: Library, module: Module, before: str) -> dict[str, Any]:
    return {before + name: each for name, each in module.current() if not isinstance(each, Module)}


def joined(between: str) -> Callable[[Library, Module, str], dict[str, Any]]:
    def state(library: Library, module: Module, before: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, each in module.current():
            inner = isinstance(each, Module)
            found |= state(library, each, f"{before}{name}{between}") if inner else {before + name: each}
        return found

    return state


def without_outer(library: Library, module: Module, before: str) -> dict[str, Any]:
    """Each name has that of the innermost module only before it."""
    found: dict[str, Any] = {}
    for name, each in module.current():
        found |= without_outer(library, each, f"{name}.") if isinstance(each, Module) else {before + name: each}
    return found


def one_level(library: Library, module: Module, before: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in module.current():
        found |= own_only(library, each, f"{name}.") if isinstance(each, Module) else {name: each}
    return found


def below_only(library: Library, module: Module, before: str) -> dict[str, Any]:
    found = Library.state(library, module, before)
    return {name: each for name, each in found.items() if "." in name} or found


def once(library: Library, module: Module, before: str) -> dict[str, Any]:
    """A shared parameter stands under its first name only."""
    found: dict[str, Any] = {}
    for name, each in Library.state(library, module, before).items():
        if each not in found.values():
            found[name] = each
    return found


def saving(of: Callable[[Any], Any]) -> Change:
    return lambda library: library.__dict__.update(
        saved=lambda module: {name: of(each) for name, each in library.state(module).items()}
    )


known(
    "state-nested",
    SECTION,
    "the state lacks parameters of modules in the module, or of its own",
    "Which modules lie in this one, and which ones in those?",
    "Its own parameters, and the state of each module in it, with that one's name and a dot before each name.",
    STATE,
    ("the state has the module's own parameters only", states(own_only)),
    ("the state has the parameters of modules in the module, but not of those in them", states(one_level)),
    ("the state lacks the module's own parameters", states(below_only)),
)
known(
    "state-names",
    SECTION,
    "parameters stand in the state under other names",
    "Which way leads from the network to that parameter? m.inner.deep.w is ...?",
    "The names of the attributes, with dots between: inner.deep.w.",
    STATE,
    (
        "names in the state lack the names of the modules around",
        states(lambda library, module, before: flat_names(library, module)),
    ),
    ("names in the state lack the names of the outer modules", states(without_outer)),
    *(
        (f"names in the state have “{between}” between them, not a dot", states(joined(between)))
        for between in ("_", "/", "", ":")
    ),
    ("the parts of Sequential are counted from 1", part(part_name=lambda number: str(number + 1))),
    *(
        (
            f"the parts of Sequential are called {name}0, {name}1 ..., not 0, 1 ...",
            part(part_name=lambda number, name=name: f"{name}{number}"),
        )
        for name in ("module", "layer", "_", "module_", "layer_", "m", "modules_", "layers_", "sub", "part")
    ),
)
known(
    "state-shared-once",
    SECTION,
    "a parameter that has two names stands in the state under one only",
    "m.same = m.w: under which names would somebody look for it?",
    "As PyTorch does: under each of its names.",
    STATE,
    states(once),
)
known(
    "state-not-arrays",
    SECTION,
    "the state holds something else than arrays",
    "What can be written into a file, and read without this library?",
    "parameter.tensor.data.copy().",
    STATE,
    ("the state holds lists, not arrays", saving(lambda parameter: parameter.tensor.data.tolist())),
)
known(
    "state-references",
    SECTION,
    "the state holds the parameters' own arrays: it changes when training goes on",
    "The best state so far was saved. What does it hold after ten more steps?",
    "Copies: parameter.tensor.data.copy().",
    STATE,
    saving(lambda parameter: np.asarray(parameter.tensor.values)),
)
known(
    "load-own-only",
    SECTION,
    "load_state_dict() fills the module's own parameters, not those of modules in it",
    "Which parameters has the state of a network, and which of them did you look for?",
    "The same names as in state_dict(): its own, and those with dots of the modules in it.",
    STATE,
    lambda library: library.__dict__.update(load=lambda module, state: own_loaded(library, module, state)),
)
known(
    "load-by-order",
    SECTION,
    "load_state_dict() goes by the order of the state, not by its names",
    "A dictionary may have the names in any order. Which array belongs to which parameter?",
    "state[name], for each name of the module.",
    STATE,
    lambda library: library.__dict__.update(load=lambda module, state: by_order(library, module, state)),
)
known(
    "load-not-in-place",
    SECTION,
    "after load_state_dict() the parameter has another tensor or array: who holds the old one does not see it",
    "An optimizer may hold the parameter's tensor. Does it see a new one?",
    "data = parameter.tensor.data, then data[...] = state[name].",
    STATE,
)
known(
    "load-references",
    SECTION,
    "load_state_dict() keeps the given arrays: they change when training goes on",
    "Two networks that load one state: do they then train each other?",
    "Copy the numbers: data[...] = state[name].",
    STATE,
)
known(
    "load-missing",
    SECTION,
    "load_state_dict() takes a state in which a name is missing",
    "A name is misspelt in the file. When would anybody notice?",
    "raise KeyError(...) for a name of the module that the state does not have.",
    STATE,
)
known(
    "load-unexpected",
    SECTION,
    "load_state_dict() takes a state with a name that the module does not have",
    "The state of another network: when would anybody notice?",
    "raise KeyError(...) for a name of the state that the module does not have.",
    STATE,
)
known(
    "load-shapes",
    SECTION,
    "load_state_dict() takes arrays of another shape",
    "data[...] = array broadcasts: a single row fills all of them. Is that what was saved?",
    "Compare the shapes before you copy, and raise ValueError(...).",
    STATE,
)
known(
    "load-other-exception",
    SECTION,
    "load_state_dict() raises another exception than the notebook says",
    "Is it a name that does not fit, or a shape?",
    "KeyError for a name that is missing or unknown, ValueError for another shape.",
    STATE,
)
known(
    "load-bare-names",
    SECTION,
    "load_state_dict() raises a bare name, and no sentence that says what is wrong",
    "Somebody reads only the last line: what should it say?",
    'raise KeyError(f"{name} is missing"), raise ValueError(f"{name} has shape ..., not ...").',
    STATE,
)
known(
    "load-half",
    SECTION,
    "load_state_dict() refuses a state after it has copied a part of it",
    "What does the network hold now: the old numbers, or the new ones?",
    "First compare all names and shapes, then copy.",
    STATE,
)


def by_order(library: Library, module: Module, state: Any) -> None:
    own = library.state(module)
    library.refuse(own, state)
    for parameter, values in zip(own.values(), state.values(), strict=True):
        library.write_state(parameter, values)


def own_loaded(library: Library, module: Module, state: Any) -> None:
    own = library.state(module)
    library.refuse(own, state)
    for name in own_only(library, module, ""):
        library.write_state(own[name], state[name])


def flat_names(library: Library, module: Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in module.current():
        found |= flat_names(library, each) if isinstance(each, Module) else {name: each}
    return found


def listed(library: Library) -> None:
    """Sequential keeps its modules in a list."""
    names = library.names

    class Listed(Module):
        def __init__(self, *modules: Any) -> None:
            super().__init__(library)
            self.modules = modules

        def forward(self, x: Any) -> Any:
            for module in self.modules:
                x = module(x)
            return x

    library.names = lambda: {**names(), "Sequential": Listed}
