# section: averages
def moving_averages(numbers, width):
    return [round(sum(numbers[at : at + width]) / width) for at in range(len(numbers) - width + 1)]
