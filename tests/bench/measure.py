#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command N times, and says what it cost.

measure.py N [--pids PID,PID] -- CMD...      N runs one after the other
One line: wall p50 ms, wall p99 ms, CPU ms of the command and its children, CPU ms of the PIDs (all threads),
each per run; exits 1 when a run failed.
"""
import os
import resource
import subprocess
import sys
import time


def pids_cpu_ns(pids):
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
    return total


def main():
    n = int(sys.argv[1])
    pids = []
    rest = sys.argv[2:]
    if rest[0] == "--pids":
        pids = [p for p in rest[1].split(",") if p]
        rest = rest[2:]
    command = rest[1:]
    walls = []
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    daemons = pids_cpu_ns(pids)
    for _ in range(n):
        start = time.monotonic()
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        walls.append((time.monotonic() - start) * 1e3)
        if r.returncode != 0:
            sys.exit(f"measure: {command} failed: {r.stderr.decode(errors='replace')[-400:]}")
    daemons = (pids_cpu_ns(pids) - daemons) / 1e6 / n
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = (after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime) * 1e3 / n
    walls.sort()
    print(f"{walls[n // 2]:.3f} {walls[min(n - 1, n * 99 // 100)]:.3f} {own:.3f} {daemons:.3f}")


main()
