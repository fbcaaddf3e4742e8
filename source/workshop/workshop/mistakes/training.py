"""Mistakes with the model, and with its training."""

from __future__ import annotations

from workshop.mistakes.known import known
from workshop.mistakes.layers import LINEAR
from workshop.mistakes.modules import MODULES

# ---------------------------------------------------------------- its training

TRAIN = "Make a model! > The training loop"
MODEL = "Make a model! > The model"
known(
    "train-moves-nothing",
    "train",
    "training leaves all parameters where they were, and none holds a gradient when it ends",
    "Is loss.backward() called? And does zero_grad() stand before it, or between it and step()?",
    "In this order: zero_grad, forward, loss, loss.backward(), optimizer.step().",
    TRAIN,
)
known(
    "train-without-step",
    "train",
    "the parameters have gradients when training ends, but no step has used them",
    "Is step() called at all, does it come after loss.backward(), and which parameters was SGD given?",
    "In this order: zero_grad, forward, loss, loss.backward(), optimizer.step(), of SGD(model.parameters(), lr).",
    TRAIN,
)
known(
    "train-some-parameters",
    "train",
    "training moves some of the parameters only",
    "What is SGD given: all that the model has?",
    "SGD(model.parameters(), lr): every module lists those of all its layers.",
    TRAIN,
)
known(
    "train-lr-ignored",
    "train",
    "a step of training is the same for every lr",
    "Which learning rate does your optimizer have?",
    "SGD(model.parameters(), lr): without it, SGD takes its default.",
    TRAIN,
)
known(
    "train-without-zero-grad",
    "train",
    "a mini-batch still holds the gradients of those before",
    "backward adds to the gradients. Who removes the old ones, and how often?",
    "optimizer.zero_grad() in the inner loop, before each backward().",
    TRAIN,
)
known(
    "train-rows-apart",
    "train",
    "the examples of a mini-batch are compared with the targets of others",
    "Row 7 of images belongs to row 7 of targets. Is this still so after shuffling?",
    "One order for both: images[batch] and targets[batch].",
    TRAIN,
)
known(
    "train-epochs-ignored",
    "train",
    "training takes another number of epochs than it is asked for",
    "Where does the outer loop end, and where does the function return?",
    "for _ in range(epochs): ..., and return losses after it.",
    TRAIN,
)
known(
    "train-examples-left-out",
    "train",
    "an epoch leaves the last examples out, where they do not fill a mini-batch",
    "With 12 examples and mini-batches of 5, what becomes of the last two?",
    "range(0, len(order), batch_size) goes on to the end; a slice may be shorter than batch_size.",
    TRAIN,
)
known(
    "train-one-batch",
    "train",
    "an epoch ends after its first mini-batch",
    "Is there a return or a break in the loop over the mini-batches, or is there no such loop?",
    "for start in range(0, len(order), batch_size): all five lines stand in it, and nothing ends it early.",
    TRAIN,
)
known(
    "train-batch-size-ignored",
    "train",
    "the mini-batches do not have batch_size examples",
    "Where does the length of a mini-batch come from?",
    "batch = order[start : start + batch_size]",
    TRAIN,
)
known(
    "train-other-stride",
    "train",
    "the mini-batches do not begin batch_size examples apart",
    "A mini-batch begins, the next one begins: how many examples lie between, with another batch_size?",
    "for start in range(0, len(order), batch_size): the step is batch_size, too.",
    TRAIN,
)
known(
    "train-examples-not-once",
    "train",
    "an epoch does not show every example once",
    "What sees to it that every example gets its turn in an epoch, and only one?",
    "One order for an epoch, np.random.permutation(len(images)); each slice begins where the last ends.",
    TRAIN,
)
known(
    "train-not-shuffled",
    "train",
    "the examples come in the order in which they were given",
    "What if all the zeros came first, and then all the ones?",
    "order = np.random.permutation(len(images)), and rows by order[start : start + batch_size].",
    TRAIN,
)
known(
    "train-changes-arrays",
    "train",
    "train changes the images or targets that it is given",
    "Who else holds the arrays that you shuffle?",
    "Shuffle row numbers, order = np.random.permutation(len(images)), and take images[batch]: that copies.",
    TRAIN,
)
known(
    "train-shuffled-once",
    "train",
    "the mini-batches hold the same examples in every epoch",
    "When is the order drawn: once, or for each epoch?",
    "order = np.random.permutation(len(images)) inside the loop over the epochs.",
    TRAIN,
)
known(
    "train-losses-not-numbers",
    "train",
    "the losses are not a list of numbers",
    "What would a curve be drawn from?",
    "float(loss.data) is the number in a loss; return losses after the last epoch.",
    TRAIN,
)
known(
    "train-loss-of-one-batch",
    "train",
    "the loss of an epoch is that of one of its mini-batches",
    "An epoch has many mini-batches. Whose loss is logged?",
    "Add them all up, each times its length, and divide by the number of examples.",
    TRAIN,
)
known(
    "train-loss-unweighted",
    "train",
    "the loss of an epoch counts a small last mini-batch as much as a full one",
    "A mini-batch of 5 has a mean loss of 1, the last one, of 2, a mean loss of 8. What is the mean over all 7?",
    "total += float(loss.data) * len(batch), and in the end total / len(images).",
    TRAIN,
)
known(
    "train-loss-not-divided",
    "train",
    "the losses of an epoch are added up, and not divided",
    "Over how many is the mean?",
    "total += float(loss.data) * len(batch), and in the end total / len(images).",
    TRAIN,
)
known(
    "train-loss-divided-otherwise",
    "train",
    "the losses of an epoch are added up and divided, but the sum and the number do not belong together",
    "A loss is the mean of its mini-batch. What makes it the sum over its examples, before you divide by all of them?",
    "total += float(loss.data) * len(batch), and in the end total / len(images).",
    TRAIN,
)
known(
    "train-loss-kept",
    "train",
    "the loss of an epoch still holds those of the epochs before",
    "Where does the sum start from, in the second epoch?",
    "total = 0.0 at the start of each epoch.",
    TRAIN,
)
known(
    "train-loss-later",
    "train",
    "the losses are worked out after the steps, not when each mini-batch has its turn",
    "The loss that goes backward is at hand. What has changed when the model is asked once more?",
    "total += float(loss.data) * len(batch), of the loss that went backward.",
    TRAIN,
)
known(
    "train-loss-of-each-batch",
    "train",
    "the losses are those of all mini-batches, not one for each epoch",
    "How many numbers shall there be after 20 epochs?",
    "Append the mean once, after the loop over the mini-batches.",
    TRAIN,
)
known(
    "train-live-silent",
    "train",
    "live is never called",
    "What is the last argument for?",
    "if live: live(losses[-1]), at the end of each epoch.",
    TRAIN,
)
known(
    "train-live-at-other-times",
    "train",
    "live is not called once at the end of each epoch",
    "In which loop does the call stand?",
    "In the loop over the epochs, after the one over the mini-batches.",
    TRAIN,
)
known(
    "train-live-told-other-numbers",
    "train",
    "live is not told the loss of the epoch",
    "Which number does a curve of the loss need?",
    "live(losses[-1]), after it was appended.",
    TRAIN,
)
known(
    "train-needs-live",
    "train",
    "without live, train does not work",
    "What is live when nobody hands one in?",
    "if live: live(losses[-1])",
    TRAIN,
)
known(
    "model-straight",
    "model",
    "the model is one straight line: nothing bends between its layers",
    "Two linear layers in a row are one linear layer. What belongs between them?",
    "Linear, ReLU, Linear.",
    LINEAR,
)
known(
    "model-relu-at-end",
    "model",
    "no score is ever below 0, and some are exactly 0, as behind a ReLU",
    "A score of 0 behind a ReLU: does a small step of the weights change it?",
    "Linear, ReLU, Linear: nothing comes after the last layer.",
    MODEL,
)
known(
    "model-layers-not-registered",
    "model",
    "parameters() of the model does not list those of all layers",
    "Where are the layers kept: each in an attribute of its own, or in a list?",
    "self.hidden = Linear(...): MyModule registers what is assigned to an attribute, not what is in a list.",
    MODULES,
)
known(
    "model-layer-unused",
    "model",
    "a layer of the model takes no part in its output",
    "Which layer does forward leave out?",
    "Use every layer in forward, one after the other.",
    MODEL,
)
known(
    "model-detached",
    "model",
    "forward uses a parameter that gets no gradient from the loss",
    "Does forward hand on tensors, or their arrays?",
    "Hand on the tensors themselves: MyTensor(x.data) is a new leaf, and the graph ends there.",
    MODEL,
)
known(
    "model-wrong-shape",
    "model",
    "the model does not give ten scores for each picture",
    "How many digits are there, and which shape goes in?",
    "(n, 64) goes in and (n, 10) comes out: the last layer has 10 outputs.",
    MODEL,
)
known(
    "model-beside-its-parameters",
    "model",
    "the model's scores do not come from its parameters alone",
    "Put the old numbers back into all parameters: what should the model answer?",
    "forward computes the scores from x and the layers, anew each time.",
    MODEL,
)
known(
    "model-changes",
    "model",
    "the model gives the same pictures other scores when it is asked again",
    "What is made anew in forward, drawn there, or kept from the call before?",
    "Make the layers once, in __init__; forward only calls them.",
    MODEL,
)
known(
    "model-silent",
    "model",
    "the model gives every picture the same scores",
    "Is there a unit that any picture can still move?",
    "No ReLU after the last layer, and random weights before the first.",
    LINEAR,
)
