#!/usr/bin/env bash
# The set-up scripts: what they say when something is wrong, and that nothing wrong is kept. No network, no root.
#
#   tests/scripts/setup_test.sh
#
# Package clients are replaced by small stand-ins at the front of PATH.
# shellcheck disable=SC2016  # code for another shell is meant as it stands
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export VALENCE_CACHE="$work/cache"
failures=0
count=0

# stand_in NAME LINE...: a program of that name, first in the PATH.
stand_in() {
  local path="$work/bin/$1"
  shift
  mkdir -p "$work/bin"
  printf '%s\n' '#!/bin/bash' "$@" >"$path"
  chmod +x "$path"
}

# in_library CODE: runs it with the libraries of the scripts and a private place for logs.
in_library() {
  root="$root" PATH="$work/bin:$PATH" bash -c 'set -euo pipefail
    for name in common packages fetch llama build; do . "$root/scripts/lib/$name.sh"; done
    script_name=setup log_dir="$VALENCE_CACHE/logs"
    eval "$1"' bash "$1"
}

# expect NAME STATUS TEXT COMMAND...: the status, and TEXT somewhere in what is printed.
expect() {
  local name="$1" status="$2" text="$3" output actual=0
  shift 3
  count=$((count + 1))
  output="$("$@" 2>&1 </dev/null)" || actual=$?
  if [ "$actual" -eq "$status" ] && [[ "$output" == *"$text"* ]]; then return; fi
  failures=$((failures + 1))
  printf 'FAILED: %s\n  expected status %s and: %s\n  got status %s and: %s\n' "$name" "$status" "$text" "$actual" "$output"
}

test_usage() {
  expect "an unknown purpose is refused" 2 \
    'setup: --for is "nothing"; choose one of: quickstart test bench all (setup --help)' "$root/scripts/setup" --for nothing
  expect "an option without its value is refused" 2 'setup: --llama needs a value (setup --help)' "$root/scripts/setup" --llama
  expect "an unknown argument is refused" 2 'setup: unknown argument "--fast" (setup --help)' "$root/scripts/setup" --fast
  expect "quickstart refuses what it does not know" 2 'quickstart: unknown argument "fast" (quickstart --help)' \
    "$root/scripts/quickstart" fast
  expect "help is the comment of the script" 0 'scripts/setup: installs what Valence needs on this machine.' \
    "$root/scripts/setup" --help
}

test_packages() {
  stand_in dpkg-query 'echo "g++ installed"; echo "cmake not-installed"; exit 1'
  expect "missing packages are those not installed" 0 $'cmake\nnosuch' in_library 'missing_packages g++ cmake nosuch'
  stand_in dpkg-query 'shift 3; for name in "$@"; do [ "$name" = ccache ] || echo "$name installed"; done; exit 1'
  stand_in id 'echo 1000'
  stand_in sudo 'exit 1'
  expect "without root the missing packages are named" 1 \
    $'setup: 1 Debian packages are missing and neither root nor sudo is at hand. Have them installed with:\n  apt-get install --no-install-recommends ccache' \
    in_library 'install_packages quickstart'
  stand_in dpkg-query 'shift 3; for name in "$@"; do echo "$name installed"; done'
  expect "without root nothing is asked for when all is present" 0 'packages present' \
    in_library 'install_packages quickstart | sed "s/all [0-9]* present/packages present/"'
  rm "$work"/bin/*
}

test_downloads() {
  stand_in npm 'while [ $# -gt 0 ]; do if [ "$1" = --pack-destination ]; then echo rubbish >"$2/a.tgz"; fi; shift; done'
  expect "a file with another hash is refused" 1 \
    'setup: node-llama-cpp@3.22.1: the downloaded file is sha512-' in_library 'fetch_npm node-llama-cpp'
  expect "and what was expected is said" 1 \
    'scripts/lock/npm.txt expects sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==. Nothing was kept' \
    in_library 'fetch_npm node-llama-cpp'
  expect "nothing of it is left" 0 '0 files' in_library 'echo "$(find "$cache/downloads" -mindepth 1 | wc -l) files"'
  expect "a package without a pinned version is refused" 1 'setup: scripts/lock/npm.txt has no line for left-pad' \
    in_library 'fetch_npm left-pad'
  stand_in npm 'echo "npm error network unreachable" >&2; exit 1'
  stand_in sleep ''
  expect "a failing client ends the step with its last words" 1 'npm error network unreachable' \
    in_library 'step "llama.cpp v0.5.0" "see npm" make_llama @node-llama-cpp/linux-x64'
  expect "and nothing is left of it" 0 '0 files' \
    in_library 'echo "$(find "$cache" -mindepth 1 -path "*llama*" ! -path "*/logs/*" | wc -l) files"'
  rm "$work"/bin/*
}

test_steps() {
  expect "a failed step names its log and the remedy" 1 "what to do: do this" in_library 'step "a step" "do this" false'
  expect "a failed step is not passed over" 1 'the step "two lines" failed (status 1)' \
    in_library 'two() { false; echo reached; }; step "two lines" "x" two; echo reached'
  expect "retry gives up after its tries" 1 'failed, trying again in 2 s: false' in_library 'sleep() { :; }; retry 3 false'
  expect "and tries as often as it is told" 0 '3 tries' \
    in_library 'n=0; sleep() { :; }; try() { n=$((n + 1)); false; }; retry 3 try 2>/dev/null || echo "$n tries"'
  expect "a machine without AVX2 keeps the prebuilt backend" 0 'skipped (needs x86-64 with AVX2, FMA, F16C and BMI2)' \
    in_library 'cpu_has() { return 1; }; install_native'
  expect "a machine without prebuilt libraries is told the alternatives" 1 'use --llama source or --llama system' \
    in_library 'uname() { echo riscv64; }; binary_package none'
}

test_layers() {
  expect "planted layering violations are found" 0 'planted violations was found' "$root/scripts/check-layers" --self-test
}

test_usage
test_packages
test_downloads
test_steps
test_layers
printf '%d passed, %d failed\n' "$((count - failures))" "$failures"
[ "$failures" -eq 0 ]
