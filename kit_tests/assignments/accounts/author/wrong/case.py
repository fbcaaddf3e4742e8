# section: words
# mistake: case-kept
def count_words(text):
    return {word: text.split().count(word) for word in set(text.split())}
