#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up what `meson test` has just run in a build directory.

    tools/summary.py BUILD

Prints "N passed, N failed, N skipped" as its last line.  A program that reports its cases, as
cmocka does on standard output or by TAP, counts by case, any other as one.  A program that fails
without a failed case (it crashed or ran out of time) counts as one failure.  The exit status is 0
only if something passed and nothing failed.
"""
import glob
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

GOOD = {'OK', 'SKIP', 'EXPECTEDFAIL'}
CMOCKA = re.compile(r'^\[(?:       (OK) |  (FAILED)  |  (SKIPPED) )\] ', re.MULTILINE)


def newest(pattern):
    return max(glob.glob(pattern), key=os.path.getmtime, default=None)


def programs(logs):
    """The record of every program that was run."""
    path = newest(os.path.join(logs, 'testlog*.json'))
    if path is None:
        return []
    with open(path, encoding='utf-8', errors='replace') as lines:
        return [json.loads(line) for line in lines if line.strip()]


def tap_cases(logs):
    """{program: (passed, failed, skipped)} for the programs that report cases by TAP."""
    counts = {}
    path = newest(os.path.join(logs, 'testlog*.junit.xml'))
    if path is None:
        return counts
    for suite in ElementTree.parse(path).getroot().iter('testsuite'):
        _, dot, program = suite.get('name', '').partition('.')
        if not dot:
            continue
        skipped = int(suite.get('skipped', 0))
        failed = int(suite.get('failures', 0)) + int(suite.get('errors', 0))
        counts[program] = (int(suite.get('tests', 0)) - failed - skipped, failed, skipped)
    return counts


def cmocka_cases(record):
    """(passed, failed, skipped) from a program's standard output, or None."""
    found = CMOCKA.findall(record.get('stdout') or '')
    if not found:
        return None
    return tuple(sum(1 for words in found if words[place]) for place in range(3))


def count(record, by_tap):
    result = record['result']
    cases = by_tap.get(record['name']) or cmocka_cases(record)
    if cases is None:
        return int(result in GOOD - {'SKIP'}), int(result not in GOOD), int(result == 'SKIP')
    passed, failed, skipped = cases
    return passed, failed if result in GOOD else max(failed, 1), skipped


def main():
    logs = os.path.join(sys.argv[1], 'meson-logs')
    by_tap = tap_cases(logs)
    totals = [0, 0, 0]
    unhappy = []
    for record in programs(logs):
        counts = count(record, by_tap)
        totals = [total + one for total, one in zip(totals, counts)]
        if counts[1]:
            name = record['name'].split(' / ')[-1]
            unhappy.append(f"{name} ({record['result'].lower()}, {counts[1]} failed)")
    passed, failed, skipped = totals
    if unhappy:
        print('not passed: ' + ', '.join(unhappy))
    if not any(totals):
        print('no test was run')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 0 if passed and not failed else 1


sys.exit(main())
