"""What PyTorch takes for the work of benches/beside_pytorch.rs, on the same shapes. That bench runs this and prints both.

    python benches/recurrent.py [--quick] [--services N --days N --windows N]

needs torch. Prints one line for each figure, its name and microseconds parted by a tab: the fastest of many training steps (forward, backward,
clipping, AdamW) at 64 and 256 windows, one window scored and one of 4,096 that share no rows or follow one another, all on one thread of the
processor. Where there is CUDA also a window of an epoch at 4,096 windows a step, over so many minutes of services that lie in the GPU's memory;
cuDNN computes there.
"""

import argparse
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


def best(work, seconds):
    """The fastest of the runs that fit into so many seconds."""
    work()
    times = []
    while sum(times) < seconds:
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


def epoch(cell, rows, count, batch=4096):
    """Seconds a window of training on windows that are views of rows on a GPU."""
    device = torch.device("cuda")
    rows = torch.randn(rows, FEATURES, device=device)
    windows = rows.as_strided((rows.shape[0] - STEPS + 1, STEPS, FEATURES), (FEATURES, FEATURES, 1))
    network = Network(cell).to(device)
    optimiser = torch.optim.AdamW(network.parameters())
    truth = torch.zeros(batch, device=device)
    picks = torch.randint(windows.shape[0], (max(count // batch, 1), batch), device=device)
    step(network, optimiser, windows[picks[0]], truth)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for pick in picks:
        step(network, optimiser, windows[pick], truth)
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / picks.numel()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="one run of everything")
    arguments.add_argument("--services", type=int, default=2)
    arguments.add_argument("--days", type=int, default=1)
    arguments.add_argument("--windows", type=int, default=65536, help="of an epoch on the GPU")
    chosen = arguments.parse_args()
    seconds = 0.0 if chosen.quick else 3.0

    def tell(name, took):
        print(f"{name}\t{took * 1e6:.3f}", flush=True)

    print(f"torch {torch.__version__}", file=sys.stderr)
    torch.set_num_threads(1)
    torch.manual_seed(7)
    for name, cell in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
        network = Network(cell)
        optimiser = torch.optim.AdamW(network.parameters())
        for batch in (64, 256):
            windows, truth = torch.randn(batch, STEPS, FEATURES), torch.zeros(batch)
            tell(f"{name} step of {batch}", best(lambda: step(network, optimiser, windows, truth), seconds))
        with torch.inference_mode():
            one, apart = torch.randn(1, STEPS, FEATURES), torch.randn(4096, STEPS, FEATURES)
            following = torch.randn(4096 + STEPS - 1, FEATURES)
            following = following.as_strided((4096, STEPS, FEATURES), (FEATURES, FEATURES, 1))
            tell(f"{name} window", best(lambda: network(one), seconds))
            tell(f"{name} window of 4096 apart", best(lambda: network(apart), seconds) / 4096)
            tell(f"{name} window of 4096 following", best(lambda: network(following), seconds) / 4096)
        if torch.cuda.is_available():
            rows = chosen.services * chosen.days * 24 * 60
            tell(f"{name} window of an epoch on cuda", epoch(cell, rows, chosen.windows))


main()
