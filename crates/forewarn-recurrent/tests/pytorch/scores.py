"""Scores windows with a saved model by PyTorch alone.

    python scores.py MODEL.safetensors WINDOWS.json

WINDOWS.json: {"windows": [[[feature, ...] a minute] a window], "services": [name a window]}. Prints a JSON list: each window's score. Needs torch, and no
package for the file: safetensors are a length, a JSON header and the numbers.
"""

import json
import struct
import sys

import torch
from torch import nn


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    description = json.loads(header.pop("__metadata__")["forewarn"])
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        values = torch.frombuffer(bytearray(body[first:end]), dtype=torch.float32)
        tensors[name] = values.reshape(entry["shape"])
    return description, tensors


class Network(nn.Module):
    def __init__(self, description, tensors):
        super().__init__()
        parameters = description["parameters"]
        hidden, width = parameters["hidden"], parameters["head"]
        outputs = description["window"]["period"] if parameters["output"] == "hazard" else 1
        inputs = len(description["schema"]["metrics"]) if isinstance(description["schema"], dict) else len(description["schema"])
        services = parameters["services"]
        self.names = services["names"] if services else []
        if services:
            self.service = nn.Embedding(len(self.names) + 1, services["width"])
            inputs += services["width"]
        rnn = nn.LSTM if description["kind"] == "lstm" else nn.GRU
        self.rnn = rnn(inputs, hidden, parameters["layers"], batch_first=True)
        if parameters["pooling"] == "attention":
            self.attention = nn.Linear(hidden, 1, bias=False)
        if width is None:
            self.head = nn.Linear(hidden, outputs)
        else:
            self.head = nn.Sequential(nn.Linear(hidden, width), nn.ReLU(), nn.Linear(width, outputs))
        # Strict: every tensor has its place, and every place its tensor.
        self.load_state_dict(tensors)

    def forward(self, windows, services):
        if self.names:
            numbers = [self.names.index(name) + 1 if name in self.names else 0 for name in services]
            described = self.service(torch.tensor(numbers))[:, None, :].expand(-1, windows.shape[1], -1)
            windows = torch.cat([windows, described], dim=2)
        states, _ = self.rnn(windows)
        if hasattr(self, "attention"):
            features = (states * torch.softmax(self.attention(states), dim=1)).sum(dim=1)
        else:
            features = states[:, -1]
        hazards = torch.sigmoid(self.head(features).double())
        return 1 - torch.prod(1 - hazards, dim=1)


def main():
    description, tensors = read(sys.argv[1])
    data = json.load(open(sys.argv[2]))
    members = description["parameters"]["members"]
    windows = torch.tensor(data["windows"], dtype=torch.float32)
    scores = 0
    with torch.no_grad():
        for member in range(members):
            start = f"members.{member}." if members > 1 else ""
            own = {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}
            scores = scores + Network(description, own)(windows, data["services"]) / members
    print(json.dumps(scores.tolist()))


main()
