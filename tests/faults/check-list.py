#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every function of the host layer that returns something is either one that the faulty host makes
fail, or one that is said to be unable to fail; and the faulty host and the list agree.

usage: check-list.py SOURCE_ROOT
"""
import pathlib
import re
import sys


def words_of(path):
    return {line.split()[0] for line in path.read_text().splitlines() if line.strip()}


def declared(folder):
    names = set()
    for header in sorted(folder.glob('*.h')):
        text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.S)
        text = re.sub(r'^#(.*\\\n)*.*$', '', text, flags=re.M)
        for result, name in re.findall(
                r'^(?!static|extern|typedef|return|else)([A-Za-z_][\w \*]*?[ \*])'
                r'((?:host|guarded|read_section)_\w+)\([^;{]*\)[^;{]*;', text, flags=re.M):
            if result.strip() != 'void':
                names.add(name)
    return names


def main():
    root = pathlib.Path(sys.argv[1])
    here = root / 'tests' / 'faults'
    fail = words_of(here / 'calls-that-fail.txt')
    cannot = words_of(here / 'calls-that-cannot-fail.txt')
    wrapped = set(re.findall(r'^    X\(\w[^,]*, (\w+),', (here / 'faulty_host.c').read_text(),
                             flags=re.M))
    names = declared(root / 'src' / 'host')
    problems = []
    problems += [f'{name}: declared in src/host, but in neither list'
                 for name in sorted(names - fail - cannot)]
    problems += [f'{name}: listed, but not declared in src/host'
                 for name in sorted((fail | cannot) - names - {'host_free'})]
    problems += [f'{name}: in both lists' for name in sorted(fail & cannot)]
    problems += [f'{name}: in the list, but not in faulty_host.c'
                 for name in sorted(fail - wrapped)]
    problems += [f'{name}: in faulty_host.c, but not in the list'
                 for name in sorted(wrapped - fail)]
    if len(names) < 20:
        problems.append('hardly any function found in src/host: is the pattern still right?')
    for problem in problems:
        print(problem)
    print(f'{len(fail)} calls fail on demand, {len(cannot)} cannot, {len(problems)} problems')
    return 1 if problems else 0


sys.exit(main())
