"""Plain PyTorch: the eager loop that its tutorials teach, with the data in tensors and no `DataLoader` in the way."""

import time

import harness

args = harness.arguments("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

torch.set_num_threads(args.threads)


def glorot(*sizes):
    """Dense layers with Keras' initial weights: Glorot uniform and zero biases."""
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layer = nn.Linear(a, b)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def convnet():
    """Two convolutions with pooling, with Keras' initial weights, in the layout that is faster on a CPU."""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    )  # fmt: skip
    for layer in model:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model.to(memory_format=torch.channels_last)


class Recurrent(nn.Module):
    """Words through an LSTM or GRU to one logit."""

    def __init__(self, layer):
        super().__init__()
        self.words = nn.Embedding(harness.WORDS, 128)
        self.recurrent = layer(128, 64, batch_first=True)
        self.out = nn.Linear(64, 1)

    def forward(self, x):
        return self.out(self.recurrent(self.words(x))[0][:, -1])


class Transformer(nn.Module):
    """One block of a Transformer's encoder between an embedding and a small classifier. Attention is
    `scaled_dot_product_attention` on heads of 32, which `nn.MultiheadAttention` cannot have here: its heads
    divide the 32 features."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(harness.WORDS, 32)
        self.project = nn.Linear(32, 3 * 64)
        self.merge = nn.Linear(64, 32)
        self.feed = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
        self.norms = nn.ModuleList([nn.LayerNorm(32, eps=1e-6), nn.LayerNorm(32, eps=1e-6)])
        self.dropout = nn.Dropout(0.1)
        self.out = nn.Sequential(nn.Linear(32, 20), nn.ReLU(), nn.Dropout(0.1), nn.Linear(20, 2))

    def forward(self, words):
        x = self.words(words)
        q, k, v = self.project(x).view(*x.shape[:2], 3, 2, 32).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = self.norms[0](x + self.dropout(self.merge(attended)))
        x = self.norms[1](x + self.dropout(self.feed(x)))
        return self.out(self.dropout(x.mean(1)))


def convolution(a, b, size, stride):
    """A convolution and its normalisation, with Keras' momentum and epsilon."""
    conv = nn.Conv2d(a, b, size, stride, padding=size // 2, bias=False)
    nn.init.xavier_uniform_(conv.weight)
    return nn.Sequential(conv, nn.BatchNorm2d(b, eps=1e-3, momentum=0.01))


class Block(nn.Module):
    """Two convolutions beside a short way."""

    def __init__(self, a, b, stride):
        super().__init__()
        self.first, self.second = convolution(a, b, 3, stride), convolution(b, b, 3, 1)
        self.short = convolution(a, b, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.short(x) + self.second(F.relu(self.first(x), inplace=True)), inplace=True)


def resnet20():
    """The residual network of 20 layers for small images, channels last."""
    blocks = [convolution(3, 16, 3, 1), nn.ReLU(inplace=True)]
    for a, b, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        blocks += [Block(a, b, stride), Block(b, b, 1), Block(b, b, 1)]
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return model.to(memory_format=torch.channels_last)


class TorchPeer(harness.Peer):
    def __init__(self, workload, batch):
        self.batch = batch
        self.one_hot = workload in harness.CLASSES
        self.classes = self.one_hot or workload == "transformer"
        self.binary = workload in harness.RECURRENT
        if self.binary:
            self.model = Recurrent(nn.LSTM if workload == "lstm" else nn.GRU)
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        elif workload == "resnet20":
            self.model = resnet20()
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9, fused=True)
        elif workload in ("convnet", "transformer"):
            self.model = convnet() if workload == "convnet" else Transformer()
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        elif self.classes:
            self.model = glorot(784, 512, 10)
            self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        else:
            self.model = glorot(8, 32, 32, 1)
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, fused=True)

    @staticmethod
    def images(x):
        """Images with channels first, as a view of what lies channels last."""
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x

    def tensors(self, x, y):
        x, y = self.images(torch.from_numpy(x)), torch.from_numpy(y)
        return x, (y.argmax(1) if self.one_hot else y.long() if self.classes else y)

    def loss(self, out, y):
        if self.binary:
            return F.binary_cross_entropy_with_logits(out, y)
        return F.cross_entropy(out, y) if self.classes else F.mse_loss(out, y)

    def metric(self, out, y):
        """Sum of the metric over a batch."""
        if self.binary:
            return ((out > 0) == (y > 0.5)).sum()
        return (out.argmax(1) == y).sum() if self.classes else (out - y).abs().sum()

    def fit(self, x, y, epochs):
        x, y = self.tensors(x, y)
        ends = []
        self.model.train()
        for _ in range(epochs):
            loss_sum, metric_sum = torch.zeros(()), torch.zeros(())
            for rows in torch.randperm(len(x)).split(self.batch):
                bx, by = x[rows], y[rows]
                out = self.model(bx)
                loss = self.loss(out, by)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                with torch.no_grad():
                    loss_sum += loss.detach() * len(bx)
                    metric_sum += self.metric(out.detach(), by)
            self.logs = loss_sum.item() / len(x), metric_sum.item() / len(x)
            ends.append(time.perf_counter())
        return ends

    @torch.inference_mode()
    def evaluate(self, x, y):
        x, y = self.tensors(x, y)
        out = self.model.eval()(x)
        return self.loss(out, y).item(), self.metric(out, y).item() / len(x)

    @torch.inference_mode()
    def predict(self, x, batch):
        self.model.eval()
        parts = self.images(torch.from_numpy(x)).split(batch)
        out = torch.cat([self.model(part) for part in parts]) if len(parts) > 1 else self.model(parts[0])
        if self.binary:
            return out.sigmoid().numpy()
        return (out.softmax(1) if self.classes else out).numpy()

    def lean_calls(self, row):
        x = self.images(torch.from_numpy(row))

        def eager():
            with torch.inference_mode():
                return self.model(x)

        return [eager]


harness.main(args, "torch", torch.__version__, TorchPeer)
