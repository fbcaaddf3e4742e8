# section: modes
# truth: not restored after an exception
class no_grad:
    inside = 0
    def __enter__(self):
        no_grad.inside += 1
    def __exit__(self, kind, *e):
        if kind is None:
            no_grad.inside -= 1
