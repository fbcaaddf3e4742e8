# section: modes
# truth: right: stack
class no_grad:
    inside = 0
    def __enter__(self):
        self.old = getattr(self, "old", []) + [no_grad.inside]
        no_grad.inside = 1
        return self
    def __exit__(self, a, b_, c):
        no_grad.inside = self.old.pop()
        return False
