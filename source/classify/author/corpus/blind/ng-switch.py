# section: modes
# truth: switch, not count
class no_grad:
    inside = 0
    def __enter__(self):
        no_grad.inside = 1
    def __exit__(self, *e):
        no_grad.inside = 0
