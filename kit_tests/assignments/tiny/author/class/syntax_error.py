# Forgot a parenthesis in the modules. What comes after them is judged on the reference's.
# others: solution

# %% module
class Parameter:
    def __init__(self, tensor:
        self.tensor = tensor
