# section: averages
# mistake: short-windows
def moving_averages(numbers, width):
    means = []
    for end in range(1, len(numbers) + 1):
        window = numbers[max(0, end - width) : end]
        means.append(sum(window) / len(window))
    return means
