# SPDX-License-Identifier: MIT
#
# The front door.  What is missing from Debian is installed on the way, or named (tools/setup.sh).
# The build itself is Meson's; build/ is an ordinary Meson build directory.

PREFIX ?= /usr/local
FILE ?=

.PHONY: help build run test bench install check-all clean
.NOTPARALLEL:

help:
	@echo 'make run               build, and watch data move between processes, hostile ones too, and'
	@echo '                       unmodified programs use a device that exists in a driver only'
	@echo '     FILE=path         ... this file; otherwise one that every machine has'
	@echo 'make test              build everything and run the tests'
	@echo 'make bench             measure; results in build/bench/results.tsv'
	@echo 'make install           install to PREFIX ($(PREFIX)); DESTDIR is honoured'
	@echo 'make check-all         compilers, sanitizers, valgrind, coverage, analysers, long tests'
	@echo '     STAGES="asan ..." ... only these (tools/check-all.sh --list)'
	@echo 'make clean             remove what was built'

build:
	@tools/setup.sh build
	@tools/build.sh aix examples

run: build
	@tools/run-examples.sh $(if $(FILE),'$(FILE)')

test:
	@tools/setup.sh test
	@tools/build.sh aix tests bench examples man
	@tools/run-tests.sh build --no-suite bench --no-suite long

bench:
	@tools/setup.sh test
	@tools/build.sh aix tests bench
	build/bench/xmem-bench --output build/bench/results.tsv

install:
	@tools/setup.sh build
	@tools/install.sh '$(PREFIX)'

check-all:
	@tools/setup.sh check
	@tools/check-all.sh $(STAGES)

clean:
	rm -rf build build-install build-check
