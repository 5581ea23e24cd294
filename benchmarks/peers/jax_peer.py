"""Plain JAX: the whole training step, gather of the batch's rows and metrics included, is one jitted function."""

import time
from functools import partial

import harness

args = harness.arguments("jax")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

SIZES = {"mlp": (784, 512, 10), "tabular": (8, 32, 32, 1)}
RATE, EPSILON = 1e-3, 1e-7


def forward(params, x):
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def measures(workload, params, x, y):
    """Mean loss, and sum of the metric."""
    out = forward(params, x)
    if workload == "mlp":
        loss = -jnp.mean(jnp.sum(y * jax.nn.log_softmax(out), axis=1))
        return loss, jnp.sum(jnp.argmax(out, 1) == jnp.argmax(y, 1))
    return jnp.mean((out - y) ** 2), jnp.sum(jnp.abs(out - y))


def rmsprop(params, slots, grads):
    (squares,) = slots
    squares = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g * g, squares, grads)
    params = jax.tree.map(lambda p, v, g: p - RATE * g / jnp.sqrt(v + EPSILON), params, squares, grads)
    return params, (squares,)


def adam(params, slots, grads):
    steps, first, second = slots
    steps = steps + 1
    first = jax.tree.map(lambda m, g: m + (g - m) * (1 - 0.9), first, grads)
    second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - 0.999), second, grads)
    rate = RATE * jnp.sqrt(1 - 0.999**steps) / (1 - 0.9**steps)
    params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), params, first, second)
    return params, (steps, first, second)


def train_step(workload, state, x, y, rows):
    params, slots, loss_sum, metric_sum = state
    bx, by = x[rows], y[rows]
    lossy = jax.value_and_grad(lambda p: measures(workload, p, bx, by), has_aux=True)
    (loss, metric), grads = lossy(params)
    params, slots = (rmsprop if workload == "mlp" else adam)(params, slots, grads)
    return params, slots, loss_sum + loss * len(rows), metric_sum + metric


def output(workload, params, x):
    out = forward(params, x)
    return jax.nn.softmax(out) if workload == "mlp" else out


class JaxPeer(harness.Peer):
    def __init__(self, workload, batch):
        self.workload, self.batch = workload, batch
        self.random = np.random.default_rng(1)
        params = []
        for a, b in zip(SIZES[workload], SIZES[workload][1:]):
            limit = (6 / (a + b)) ** 0.5
            w = self.random.uniform(-limit, limit, (a, b)).astype(np.float32)
            params.append((jnp.asarray(w), jnp.zeros(b)))
        self.params = params
        self.step = jax.jit(partial(train_step, workload), donate_argnums=0)
        self.output = jax.jit(partial(output, workload))
        zeros = jax.tree.map(jnp.zeros_like, params)
        self.slots = (zeros,) if workload == "mlp" else (jnp.float32(0), zeros, jax.tree.map(jnp.zeros_like, params))

    def fit(self, x, y, epochs):
        n = len(x)
        x, y = jnp.asarray(x), jnp.asarray(y)
        ends = []
        for _ in range(epochs):
            state = self.params, self.slots, jnp.float32(0), jnp.float32(0)
            order = self.random.permutation(n).astype(np.int32)
            for at in range(0, n, self.batch):
                state = self.step(state, x, y, order[at : at + self.batch])
            self.params, self.slots, loss_sum, metric_sum = state
            self.logs = float(loss_sum) / n, float(metric_sum) / n
            ends.append(time.perf_counter())
        return ends

    def evaluate(self, x, y):
        loss, metric = measures(self.workload, self.params, jnp.asarray(x), jnp.asarray(y))
        return float(loss), float(metric) / len(x)

    def predict(self, x, batch):
        parts = [self.output(self.params, x[at : at + batch]) for at in range(0, len(x), batch)]
        return np.concatenate([np.asarray(part) for part in parts])

    def lean_calls(self, row):
        x = jnp.asarray(row)
        return [lambda: np.asarray(self.output(self.params, x))]


harness.main(args, "jax", jax.__version__, JaxPeer)
