#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the man pages against the library that they describe.

  check.py --pages DIR --aliases DIR --headers DIR --map FILE [--aix-map FILE]
           [--library FILE]... -- COMPILER [FLAG]...

What is checked:

  names      every name that a version map exports is in the NAME of exactly one page; every name
             there has a page or an alias of its own, and every alias leads to the page that names it
  sections   each page has the sections that its kind of page has, in their order
  lint       mandoc and groff have no complaint (each is skipped where it is not installed)
  links      pages of sections 1, 3 and 7 that are referred to exist, here or in the list below
  synopsis   each SYNOPSIS compiles, and its prototypes are those of the headers
  types      a struct or enum that a page shows is word for word one of the headers
  examples   each program fits a terminal, is compiled without a warning, run, and ends with 0
             (77: not possible here)

Without --aix-map the AIX services are not built; their examples are compiled, but not run.
Prints one line for each problem and a summary; the exit status is 1 if there was a problem.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NATIVE_SECTIONS = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'RETURN VALUE', 'ERRORS', 'CONTEXT',
                   'EXAMPLES', 'SEE ALSO']
AIX_SECTIONS = NATIVE_SECTIONS[:-1] + ['DIFFERENCES FROM AIX', 'SEE ALSO']
OVERVIEW_SECTIONS = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXAMPLES', 'SEE ALSO']
COMMAND_SECTIONS = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS', 'EXAMPLES',
                    'SEE ALSO']
# Pages of others; those of sections 2 and 8 are not looked for.
OTHER_PAGES = {'abort(3)', 'dd(1)', 'env(1)', 'epoll(7)', 'execvp(3)', 'longjmp(3)', 'signal-safety(7)',
               'stat(1)', 'timeout(1)', 'true(1)'}
WARNINGS = ['-std=gnu11', '-Wall', '-Wextra', '-Werror']
SKIPPED = 77
COLUMNS = 71  # of 78, less the indentation
SECONDS_TO_RUN = 60


class Page:
    def __init__(self, path):
        self.path = path
        self.file = path.name
        self.stem, self.section = path.name.rsplit('.', 1)
        self.lines = path.read_text(encoding='utf-8').splitlines()
        self.sections = {}
        for line in self.lines:
            if line.startswith('.SH '):
                current = line[4:].strip().strip('"')
                self.sections[current] = []
            elif self.sections:
                self.sections[current].append(line)

    def names(self):
        text = plain(' '.join(self.sections.get('NAME', [])))
        return [name.strip() for name in text.split(' - ')[0].split(',')]

    def is_aix(self):
        return 'DIFFERENCES FROM AIX' in self.sections

    def blocks(self):
        """The texts between .EX and .EE as they would be read."""
        block = None
        for line in self.lines:
            if line == '.EX':
                block = []
            elif line == '.EE':
                yield '\n'.join(block) + '\n'
                block = None
            elif block is not None:
                block.append(plain(line))


def plain(line):
    """A line of text as a reader sees it."""
    line = re.sub(r'\\f[BIPR]', '', line)
    for escape, character in (('\\&', ''), ('\\-', '-'), ('\\(aq', "'"), ('\\(ga', '`'),
                              ('\\(ha', '^'), ('\\(ti', '~'), ('\\ ', ' '), ('\\e', '\\')):
        line = line.replace(escape, character)
    return line


def exported(version_map):
    text = re.sub(r'/\*.*?\*/', '', version_map.read_text(encoding='utf-8'), flags=re.S)
    names = []
    for part in re.findall(r'global:(.*?)(?:local:|\})', text, flags=re.S):
        names += re.findall(r'(\w+)\s*;', part)
    return names


def condensed(text):
    """Code without comments and white space."""
    return re.sub(r'\s+', '', re.sub(r'/\*.*?\*/', '', text, flags=re.S))


class Checker:
    def __init__(self, options):
        self.options = options
        self.pages = [Page(path) for path in sorted(options.pages.glob('*.[137]'))]
        self.aliases = {path.name: path.read_text(encoding='utf-8').split()[-1]
                        for path in sorted(options.aliases.glob('*.3'))}
        self.aix_names = exported(options.aix_map) if options.aix_map else []
        self.problems = []
        self.notes = []

    def problem(self, where, words):
        self.problems.append(f'{where}: {words}')

    # ---- names ----

    def check_names(self):
        page_of = {}
        for page in self.pages:
            for name in page.names():
                title = f'{name}({page.section})'
                if title in page_of:
                    self.problem(page.file, f'{title} is named by {page_of[title].file} too')
                page_of[title] = page
                alias = f'{name}.{page.section}'
                if name == page.stem:
                    continue
                if self.aliases.get(alias) != f'man{page.section}/{page.file}':
                    self.problem(page.file, f'there is no alias {alias}')
        for alias, target in self.aliases.items():
            page = page_of.get(alias.rsplit('.', 1)[0] + '(3)')
            if page is None or target != f'man{page.section}/{page.file}':
                self.problem(alias, f'the page {target} does not name it')
        for name in exported(self.options.map) + self.aix_names:
            page = page_of.get(f'{name}(3)')
            if page is None:
                self.problem('version map', f'{name} has no page')
            elif name in self.aix_names and not page.is_aix():
                self.problem(page.file, 'no section DIFFERENCES FROM AIX')
        return page_of

    # ---- form ----

    def check_sections(self, page):
        wanted = NATIVE_SECTIONS
        if page.section == '7':
            wanted = OVERVIEW_SECTIONS
        elif page.section == '1':
            wanted = COMMAND_SECTIONS
        elif page.is_aix():
            wanted = AIX_SECTIONS
        if list(page.sections) != wanted:
            self.problem(page.file, f'has the sections {", ".join(page.sections)}; '
                                    f'they should be {", ".join(wanted)}')
        for title, lines in page.sections.items():
            if not any(line and not line.startswith('.\\"') for line in lines):
                self.problem(page.file, f'the section {title} is empty')
        if not any(re.match(r'\.TH \S+ [137] \S+ "xmem \d+\.\d+"', line) for line in page.lines):
            self.problem(page.file, '.TH does not give the section, the date and the version')

    def check_lint(self, page):
        for tool, arguments in (('mandoc', ['-T', 'lint', '-W', 'warning']),
                                ('groff', ['-t', '-man', '-ww', '-z', '-Tutf8'])):
            if shutil.which(tool) is None:
                note = f'{tool} is not installed: its check of the pages is skipped'
                if note not in self.notes:
                    self.notes.append(note)
                continue
            run = subprocess.run([tool, *arguments, str(page.path)], capture_output=True,
                                 text=True, check=False)
            words = (run.stdout + run.stderr).strip()
            if words or run.returncode != 0:
                self.problem(page.file, f'{tool}: {words}')

    def check_links(self, page, page_of):
        text = '\n'.join(page.lines)
        text = text.replace('\\-', '-')
        links = re.findall(r'\\fB([\w.-]+)\\fP\(([137])\)', text)
        links += re.findall(r'^\.BR ([\w.-]+) \(([137])\)', text, flags=re.M)
        for name, section in sorted(set(links)):
            title = f'{name}({section})'
            if title not in page_of and title not in OTHER_PAGES:
                self.problem(page.file, f'refers to {title}, which is nowhere')

    # ---- what it says ----

    def compile(self, page, program, output, link):
        """The compiler's complaint, or None."""
        options = self.options
        includes = [options.headers / 'aix'] if page.is_aix() else []
        includes += [options.headers]
        command = options.compiler + WARNINGS + [f'-I{path}' for path in includes]
        command += ['-o', str(output), str(program)] if link else ['-fsyntax-only', str(program)]
        if link:
            for library in options.library:
                command += [str(library), f'-Wl,-rpath,{library.parent}']
            command += ['-lpthread']
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        return None if run.returncode == 0 else run.stderr.strip()

    def check_synopsis(self, page, folder):
        lines = [plain(line) for line in page.sections.get('SYNOPSIS', [])
                 if not line.startswith('.')]
        includes = [line for line in lines if line.startswith('#include')]
        rest = '\n'.join(line for line in lines if not line.startswith('#include'))
        # Some services are macros too; their prototypes are those of the functions behind.
        functions = re.findall(r'^\w.*?(\w+)\(', rest, flags=re.M)
        program = folder / f'{page.stem}.{page.section}.synopsis.c'
        program.write_text('\n'.join(includes + [f'#undef {name}' for name in functions] + [rest])
                           + '\n', encoding='utf-8')
        complaint = self.compile(page, program, None, link=False)
        if complaint:
            self.problem(page.file, f'SYNOPSIS: {complaint}')
        for name in page.names():
            if page.section == '3' and name not in rest:
                self.problem(page.file, f'SYNOPSIS: {name} is not there')

    def check_blocks(self, page, headers):
        for block in page.blocks():
            for line in block.splitlines():
                if len(line) > COLUMNS:
                    self.problem(page.file, f'wider than {COLUMNS} columns: {line.strip()}')
            if 'int main' in block:
                continue
            for shown in re.findall(r'^(?:struct|enum) \w+ \{.*?^\};', block, flags=re.M | re.S):
                if condensed(shown) not in headers:
                    self.problem(page.file, f'not as in the headers: {shown.splitlines()[0]} ... }}')

    def check_example(self, page, number, text, folder):
        name = f'{page.stem}.{page.section}.{number}'
        program = folder / f'{name}.c'
        program.write_text(text, encoding='utf-8')
        run_it = not page.is_aix() or self.aix_names
        complaint = self.compile(page, program, folder / name, link=run_it)
        if complaint:
            return f'example {number}: {complaint}'
        if not run_it:
            return None
        try:
            run = subprocess.run([str(folder / name)], capture_output=True, text=True, check=False,
                                 timeout=SECONDS_TO_RUN, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return f'example {number} has not ended after {SECONDS_TO_RUN} seconds'
        words = (run.stdout + run.stderr).strip()
        if run.returncode == SKIPPED:
            self.notes.append(f'{page.file}: example {number} is not possible here: {words}')
        elif run.returncode != 0:
            return f'example {number} ended with {run.returncode}: {words}'
        return None

    def check_examples(self, folder):
        work = []
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for page in self.pages:
                programs = [block for block in page.blocks() if 'int main' in block]
                if not programs and page.section != '1':
                    self.problem(page.file, 'has no program in its EXAMPLES')
                for number, text in enumerate(programs, start=1):
                    work.append((page, pool.submit(self.check_example, page, number, text,
                                                   folder)))
        for page, result in work:
            if result.result():
                self.problem(page.file, result.result())
        return len(work)

    def check(self):
        headers = ''.join(condensed(path.read_text(encoding='utf-8'))
                          for path in sorted(self.options.headers.glob('**/*.h')))
        page_of = self.check_names()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for page in self.pages:
                self.check_sections(page)
                self.check_lint(page)
                self.check_links(page, page_of)
                self.check_blocks(page, headers)
                if page.section != '1':
                    self.check_synopsis(page, folder)
            examples = self.check_examples(folder)
        for words in self.notes + self.problems:
            print(words)
        if not self.pages:
            print('no pages')
        print(f'man: {len(self.pages)} pages, {len(self.aliases)} aliases, {examples} examples, '
              f'{len(self.problems)} problems')
        return 1 if self.problems or not self.pages else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--pages', type=pathlib.Path, required=True)
    parser.add_argument('--aliases', type=pathlib.Path, required=True)
    parser.add_argument('--headers', type=pathlib.Path, required=True)
    parser.add_argument('--map', type=pathlib.Path, required=True)
    parser.add_argument('--aix-map', type=pathlib.Path)
    parser.add_argument('--library', type=pathlib.Path, action='append', default=[])
    parser.add_argument('compiler', nargs='+')
    return Checker(parser.parse_args()).check()


if __name__ == '__main__':
    sys.exit(main())
