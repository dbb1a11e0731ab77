#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every listed statement has a result for every kind of memory that it is about.

usage: complete.py statements.txt directory-with-tables

A result is "passed" or "not applicable" with a reason.  Where cases disagree, passed counts.  Also
fails on a result for a statement that is not listed.  Writes the joint table to
directory/../conformance.tsv.
"""
import pathlib
import sys

USERS = ["embedded32", "embedded64", "opened", "imported"]
KINDS = {"all": USERS + ["kernel"], "user": USERS, "once": ["-"]}


def read_statements(path):
    statements = {}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not fields[2]:
            sys.exit(f"{path}:{number}: not 'statement TAB kinds TAB words'")
        if fields[0] in statements:
            sys.exit(f"{path}:{number}: {fields[0]} is listed twice")
        kinds = []
        for word in fields[1].split(","):
            kinds += KINDS.get(word, [word])
        statements[fields[0]] = (kinds, fields[2])
    return statements


def read_results(directory):
    results = {}
    for path in sorted(pathlib.Path(directory).glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            statement, kind, result, case, reason = line.split("\t")
            known = results.get((statement, kind))
            if known is None or (known[0] != "passed" and result == "passed"):
                results[(statement, kind)] = (result, case, reason)
    return results


def check(statements, results):
    problems = []
    for name, (kinds, _) in statements.items():
        for kind in kinds:
            result = results.get((name, kind))
            if result is None:
                problems.append(f"{name}: no result for {kind}")
            elif result[0] != "passed" and not result[2]:
                problems.append(f"{name}: {kind}: not applicable without a reason")
    for name, kind in results:
        if name not in statements or kind not in statements[name][0]:
            problems.append(f"{name}: a result for {kind}, which is not listed")
    return problems


def write_table(statements, results, path):
    with open(path, "w", encoding="utf-8") as table:
        table.write("statement\tkind\tresult\tcase\treason\twords\n")
        for name, (kinds, words) in statements.items():
            for kind in kinds:
                result = results.get((name, kind), ("missing", "", ""))
                table.write("\t".join([name, kind, *result, words]) + "\n")


def main():
    statements, results = read_statements(sys.argv[1]), read_results(sys.argv[2])
    problems = check(statements, results)
    write_table(statements, results, pathlib.Path(sys.argv[2]).parent / "conformance.tsv")
    for problem in problems[:50]:
        print(problem)
    if len(problems) > 50:
        print(f"... and {len(problems) - 50} more")
    listed = [results.get((name, kind)) for name, (kinds, _) in statements.items()
              for kind in kinds]
    passed = sum(1 for result in listed if result and result[0] == "passed")
    excused = sum(1 for result in listed if result and result[0] != "passed")
    print(f"{len(statements)} statements over the kinds of memory: {passed} passed, {excused} not "
          f"applicable, {len(listed) - passed - excused} missing")
    sys.exit(1 if problems else 0)


main()
