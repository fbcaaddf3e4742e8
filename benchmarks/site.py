"""How long a learner waits who begins with a link: `make site`, then this.

    .venv/bin/python benchmarks/site.py [--rounds 3] [--site site]

Each round is a browser with an empty cache that opens the workshop's notebook from a server on this machine, and runs
its cells down to the digits with the solution in them. Seconds, the quickest round: the machine may be busy.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import shutil
import threading
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
RUN = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  return (await kernel.requestExecute({code}).done).content.status;
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def run(page: Page, code: str) -> float:
    """Seconds that a cell takes."""
    begun = time.perf_counter()
    assert page.evaluate(RUN, code) == "ok", code
    return time.perf_counter() - begun


def waits(page: Page, address: str, cells: dict[str, str]) -> dict[str, float]:
    """What a learner waits for, by what it is."""
    page.route("**/jupyter-lite.json*", lambda route: exposed(route))
    begun = time.perf_counter()
    page.goto(f"{address}/notebooks/index.html?path=workshop/workshop.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    found = {"the notebook is seen": time.perf_counter() - begun}
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
    for name in ("setup", "strides"):
        run(page, cells[name])
    run(page, "tests.test_strides(strides_of)")
    found["its first test has run, from the click on"] = time.perf_counter() - begun
    for name in ("data", "unbroadcast", "rules", "operators", "tensor"):
        run(page, cells[name])
    run(page, "tests.test_tensor_class(MyTensor)")
    found["test_tensor_class again"] = run(page, "tests.test_tensor_class(MyTensor)")
    for name in ("module", "matmul", "layers", "optimizer", "loss", "train", "digits"):
        run(page, cells[name])
    found["training on the digits"] = run(page, cells["model"])
    return found


def exposed(route: object) -> None:
    """The settings of the site, so that the page's application can be reached."""
    answer = route.fetch()
    settings = answer.json()
    settings["jupyter-config-data"]["exposeAppInBrowser"] = True
    route.fulfill(response=answer, json=settings)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    options = parser.parse_args()
    notebook = json.loads((ROOT / "solutions" / "workshop" / "workshop.ipynb").read_text(encoding="utf-8"))
    cells = {
        cell["metadata"].get("nbgrader", {}).get("grade_id") or "digits" * ("digits.npz" in "".join(cell["source"])): (
            "".join(cell["source"])
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }
    handler = functools.partial(Handler, directory=options.site)
    rounds = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for _ in range(options.rounds):
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox", ALONE]
            )
            page = browser.new_page()
            page.set_default_timeout(300_000)
            rounds.append(waits(page, f"http://127.0.0.1:{server.server_port}", cells))
            browser.close()
        server.shutdown()
    for what in rounds[0]:
        times = sorted(each[what] for each in rounds)
        print(f"{what:45} {times[0]:6.1f}   ({', '.join(f'{each:.1f}' for each in times)})")
    size = sum(path.stat().st_size for path in options.site.rglob("*") if path.is_file()) / 1e6
    print(f"{'the site, in MB':45} {size:6.1f}")


if __name__ == "__main__":
    main()
