# Lost a colon in the cell of Linear and ReLU, which therefore defines neither. Deserves linear 0 and relu 0; everything
# else works, and SuperModel, which is made of them, on the reference's: 85 of 100.
# others: solution

# %% layers
class Linear(MyModule)

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    return x * MyTensor((x.data > 0) * 1.0)


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)
