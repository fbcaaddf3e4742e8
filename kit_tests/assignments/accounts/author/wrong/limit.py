# section: account
# mistake: limit-forgotten
class Account(Account):
    def withdraw(self, amount):
        self.balance -= amount
        self._done.append(("out", -amount))
        return True
