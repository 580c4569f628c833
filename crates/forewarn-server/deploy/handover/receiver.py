#!/usr/bin/env python3
"""Runs one command for a warning of forewarn: a webhook receiver of the standard library alone.

    receiver.py --secret-file secret --rules rules.json [--listen 127.0.0.1:9099]

`rules.json` lists what may be done, and nothing else is: the first rule that fits a firing alert is run, with the
alert's fields as environment variables. The command is a list, so that no text of an alert reaches a shell.

    [{"service": "shop/cart", "severity": "critical", "command": ["/usr/local/bin/scale-out", "cart"], "cooldown": 900}]

It checks the signature and its age, runs a notification once however often it is sent, and leaves a command alone that
ran less than `cooldown` seconds ago.
"""

import argparse
import hashlib
import hmac
import json
import os
import subprocess
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

MOST_BYTES = 1 << 20
MOST_IDS = 10_000
MOST_AGE_SECONDS = 300
FIELDS = {"FOREWARN_SERVICE": "service_name", "FOREWARN_WARNING": "warning", "FOREWARN_KIND": "kind",
          "FOREWARN_PROBABILITY": "probability", "FOREWARN_ROOT": "root"}


def is_genuine(secret, headers, body):
    signed = f"{headers.get('X-Forewarn-Id', '')}.{headers.get('X-Forewarn-Timestamp', '')}.".encode() + body
    expected = "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    given = headers.get("X-Forewarn-Signature", "")
    return hmac.compare_digest(expected.encode(), given.encode())


def is_fresh(headers):
    stamp = headers.get("X-Forewarn-Timestamp", "")
    return stamp.isdigit() and abs(time.time() - int(stamp)) < MOST_AGE_SECONDS


class Actions:
    def __init__(self, rules):
        self.rules, self.seen, self.ran, self.lock = rules, OrderedDict(), {}, Lock()

    def is_new(self, number):
        with self.lock:
            is_new = number not in self.seen
            self.seen[number] = True
            while len(self.seen) > MOST_IDS:
                self.seen.popitem(last=False)
            return is_new

    def rule_for(self, alert):
        labels, notes = alert.get("labels", {}), alert.get("annotations", {})
        for place, rule in enumerate(self.rules):
            fits = rule.get("service") in (None, notes.get("service_name"))
            if fits and rule.get("severity") in (None, labels.get("severity")):
                return place, rule
        return None

    def may_run(self, place, rule):
        with self.lock:
            now = time.monotonic()
            may = now - self.ran.get(place, -1e9) >= rule.get("cooldown", 600)
            if may:
                self.ran[place] = now
            return may

    def take(self, payload):
        for alert in payload.get("alerts", []):
            found = self.rule_for(alert) if alert.get("status") == "firing" else None
            if found is None or not self.may_run(*found):
                continue
            notes, command = alert.get("annotations", {}), found[1]["command"]
            values = {name: str(notes.get(field, "")) for name, field in FIELDS.items()}
            print("runs", json.dumps(command), "for", json.dumps(values["FOREWARN_WARNING"]), flush=True)
            subprocess.Popen(command, env={**os.environ, **values}, stdin=subprocess.DEVNULL)


def handler(secret, actions):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            size = self.headers.get("Content-Length", "")
            if not size.isdigit() or int(size) > MOST_BYTES:
                return self.answer(413)
            body = self.rfile.read(int(size))
            if not is_genuine(secret, self.headers, body) or not is_fresh(self.headers):
                return self.answer(401)
            try:
                payload = json.loads(body)
            except ValueError:
                return self.answer(400)
            if actions.is_new(self.headers["X-Forewarn-Id"]):
                actions.take(payload)
            return self.answer(204)

        def answer(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--secret-file", required=True)
    parser.add_argument("--rules", required=True)
    parser.add_argument("--listen", default="127.0.0.1:9099")
    options = parser.parse_args()
    with open(options.secret_file, "rb") as file:
        secret = file.read().strip()
    with open(options.rules, encoding="utf-8") as file:
        rules = json.load(file)
    host, port = options.listen.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), handler(secret, Actions(rules)))
    print(f"listening on {host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
