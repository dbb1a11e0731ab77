#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The keys of a terminal, for a program that waits on a device under `xmem run`: Ctrl-C and Ctrl-\\
end it and xmem, Ctrl-Z stops it and `fg` goes on, as with any program that sleeps interruptibly.

From the environment: XMEM_TEST_COMMAND, XMEM_TEST_RAMDISK, XMEM_TEST_INFO.  Reports by TAP.
"""
import os
import pty
import select
import signal
import subprocess
import sys
import time

COMMAND = os.environ['XMEM_TEST_COMMAND']
RAMDISK = os.environ['XMEM_TEST_RAMDISK']
INFO = os.environ['XMEM_TEST_INFO']
LIMIT = 30


class Session:
    """A process in a terminal of its own."""

    def __init__(self, arguments):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvp(arguments[0], arguments)
        self.output = b''

    def wait_for(self, words, limit=LIMIT):
        """Reads on until the words have come."""
        end = time.monotonic() + limit
        while words not in self.output:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                return False
            try:
                data = os.read(self.terminal, 4096)
            except OSError:
                return words in self.output
            if not data:
                return False
            self.output += data
        return True

    def press(self, key):
        os.write(self.terminal, key)

    def end(self, limit=LIMIT):
        """The status of the process, or None: it does not end."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.terminal)
                return status
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    self.output += os.read(self.terminal, 4096)
                except OSError:
                    pass
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return None


def run(script):
    """A shell with the device, whose disk seeks for ten seconds."""
    script = f'{INFO} --delay 10000 /dev/rd0; echo begins; {script}'
    return Session([COMMAND, 'run', '--extension', RAMDISK, '--', 'sh', '-c', script])


READ = 'dd if=/dev/rd0 of=/dev/null bs=512 count=1 status=none'


def key_ends(key, number):
    session = run(f'exec {READ}')
    if not session.wait_for(b'begins'):
        return f'it did not begin: {session.output}'
    time.sleep(0.5)
    session.press(key)
    status = session.end()
    if status is None:
        return 'it did not end'
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != number:
        return f'it ended with the status {status}: {session.output}'
    return None


def key_is_caught():
    """A shell with a trap sees its child die, whose request was taken back, and goes on."""
    session = run(f'trap "echo caught" INT; {READ}; echo status $?; sleep 1; '
                  f'{INFO} --delay 0 /dev/rd0; {INFO} /dev/rd0; {READ} && echo goes on')
    if not session.wait_for(b'begins'):
        return 'it did not begin'
    time.sleep(0.5)
    session.press(b'\x03')
    status = session.end()
    for words in (b'caught', b'status 130', b'cancelled   1', b'goes on'):
        if words not in session.output:
            return f'{words} is missing: {session.output}'
    return None if status == 0 else f'it ended with the status {status}'


def stop_and_go():
    """An interactive shell has jobs: one is stopped while it waits, and goes on."""
    session = Session([COMMAND, 'run', '--extension', RAMDISK, '--', 'bash', '--norc',
                       '--noprofile', '-i'])
    session.press(f'{INFO} --delay 2000 /dev/rd0; echo beg""ins; {READ}; echo en""ded $?\n'.encode())
    if not session.wait_for(b'begins'):
        return f'it did not begin: {session.output}'
    time.sleep(0.5)
    session.press(b'\x1a')
    if not session.wait_for(b'Stopped'):
        return f'it did not stop: {session.output}'
    session.press(b'fg; echo sta""tus $?\n')
    if not session.wait_for(b'status 0'):
        return f'it did not go on: {session.output}'
    session.press(f'{INFO} --delay 0 /dev/rd0; exit 3\n'.encode())
    status = session.end()
    if status is None or not os.WIFEXITED(status) or os.WEXITSTATUS(status) != 3:
        return f'it ended with the status {status}: {session.output}'
    return None


CASES = [
    ('Ctrl-C', lambda: key_ends(b'\x03', signal.SIGINT)),
    ('Ctrl-\\ ', lambda: key_ends(b'\x1c', signal.SIGQUIT)),
    ('Ctrl-C, and a shell that catches it', key_is_caught),
    ('Ctrl-Z and fg', stop_and_go),
]


def main():
    check = subprocess.run([COMMAND, 'check'], stdout=subprocess.DEVNULL, check=False)
    if check.returncode == 1:
        print('1..0 # SKIP programs cannot be run with devices here')
        return 0
    if check.returncode != 0:
        print('Bail out! xmem check failed')
        return 1
    wrong = 0
    print(f'1..{len(CASES)}')
    for number, (name, case) in enumerate(CASES, start=1):
        words = case()
        print(f'{"not ok" if words else "ok"} {number} - {name.strip()}', flush=True)
        if words:
            wrong += 1
            print(f'#   {words}', flush=True)
    return 1 if wrong else 0


sys.exit(main())
