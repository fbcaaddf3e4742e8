# section: modes
# truth: starts at construction
class no_grad:
    inside = 0
    def __init__(self):
        no_grad.inside += 1
    def __enter__(self):
        return self
    def __exit__(self, *e):
        no_grad.inside -= 1
