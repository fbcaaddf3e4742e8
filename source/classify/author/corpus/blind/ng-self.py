# section: modes
# truth: counts on self
class no_grad:
    inside = 0
    def __enter__(self):
        self.inside += 1
    def __exit__(self, *e):
        self.inside -= 1
