"""What PyTorch takes for the work of benches/recurrent.rs, on one thread and the same shapes.

    python benches/recurrent.py [--cuda]

needs torch. Prints the fastest of many runs: a training step (forward, backward, AdamW with clipping) at 64 and 256 windows, one window
scored, and a batch of 4,096. With --cuda also an epoch of a year of 200 services by windows that are views of one resident block.
"""

import sys
import time

import torch
from torch import nn

FEATURES, STEPS, HIDDEN, HEAD = 19, 10, 64, 32


class Network(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.rnn = cell(FEATURES, HIDDEN, batch_first=True)
        self.head = nn.Sequential(nn.Linear(HIDDEN, HEAD), nn.ReLU(), nn.Linear(HEAD, 1))

    def forward(self, windows):
        return self.head(self.rnn(windows)[0][:, -1]).squeeze(1)


def best(work, repeats):
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def step(network, optimiser, windows, truth):
    optimiser.zero_grad(set_to_none=True)
    loss = nn.functional.binary_cross_entropy_with_logits(network(windows), truth)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def year(cell, services=200, batch=4096, batches=200):
    """Windows a second when a year of a fleet lies on the GPU."""
    device = torch.device("cuda")
    rows = torch.randn(services * 365 * 24 * 60 // 8, FEATURES, device=device)
    windows = rows.as_strided((rows.shape[0] - STEPS + 1, STEPS, FEATURES), (FEATURES, FEATURES, 1))
    network = Network(cell).to(device)
    optimiser = torch.optim.AdamW(network.parameters())
    truth = torch.zeros(batch, device=device)
    picks = torch.randint(windows.shape[0], (batches, batch), device=device)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for pick in picks:
        step(network, optimiser, windows[pick], truth)
    torch.cuda.synchronize()
    return batches * batch / (time.perf_counter() - begin)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(7)
    for name, cell in [("LSTM", nn.LSTM), ("GRU", nn.GRU)]:
        network = Network(cell)
        optimiser = torch.optim.AdamW(network.parameters())
        for batch in (64, 256):
            windows, truth = torch.randn(batch, STEPS, FEATURES), torch.zeros(batch)
            seconds = best(lambda: step(network, optimiser, windows, truth), 100)
            print(f"{name} training step, {batch} windows: {seconds * 1e3:.2f} ms")
        with torch.inference_mode():
            one, many = torch.randn(1, STEPS, FEATURES), torch.randn(4096, STEPS, FEATURES)
            print(f"{name} one window: {best(lambda: network(one), 300) * 1e6:.0f} us")
            print(f"{name} a window of 4096: {best(lambda: network(many), 10) / 4096 * 1e6:.2f} us")
        if "--cuda" in sys.argv:
            print(f"{name} on CUDA: {year(cell):.0f} windows a second")


main()
