# Left unbroadcast for later. Deserves tensor 37.5 of 40 (without the three broadcasting checks, 1 + 1 + 0.5). By itself
# Linear earns less (the gradient of the bias is not summed over the batch), and so does the model (the bias cannot be
# updated); on the reference's tensor both earn all, as the rest does: 97.5 of 100.
# others: solution

# %% unbroadcast: definitions
def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    return gradient
