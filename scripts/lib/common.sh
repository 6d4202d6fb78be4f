# Paths, messages and timed steps. Sourced by the scripts; expects `root`, the top folder of the repository.
# shellcheck shell=bash

: "${root:?}"
shopt -s inherit_errexit
cache="${VALENCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valence}"
lock_dir="$root/scripts/lock"
log_dir="$root/build/logs"
script_name="$(basename "$0")"

say() { printf '%s\n' "$*"; }

# fail MESSAGE...: what happened, where, what to do. Status 1.
fail() {
  printf '%s: %s\n' "$script_name" "$*" >&2
  exit 1
}

# usage_error MESSAGE...: status 2.
usage_error() {
  printf '%s: %s (%s --help)\n' "$script_name" "$*" "$script_name" >&2
  exit 2
}

# print_usage FILE: the comment at the top of a script is its help.
print_usage() { awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$1"; }

have() { command -v "$1" >/dev/null 2>&1; }

# read_list FILE...: the lines that are neither blank nor comments.
read_list() { sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$@"; }

# retry TRIES COMMAND...: again after 2, 4, 8 ... seconds.
retry() {
  local tries="$1" pause=2
  shift
  until "$@"; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then return 1; fi
    say "failed, trying again in $pause s: $*" >&2
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# count_of LOG: how far a build has come, "[120/310] "; nothing for other logs.
count_of() { tail -c 4000 "$1" 2>/dev/null | sed -n 's/^\(\[[0-9]*\/[0-9]*\] \).*/\1/p' | tail -n 1 | tr -d '\n'; }

# watch_step NAME LOG START: until it is ended, says how far the step has come: in place on a terminal, else a line every 30 s.
watch_step() {
  local pause=1
  if [ ! -t 1 ]; then pause=30; fi
  # The sleep holds neither our output nor the lock of a set-up when it outlives this.
  while sleep "$pause" >/dev/null 2>&1 9>&-; do
    if [ -t 1 ]; then
      printf '  %-34s … %s%d s \r' "$1" "$(count_of "$2")" "$((SECONDS - $3))"
    else
      printf '  %-34s … %safter %d s\n' "$1" "$(count_of "$2")" "$((SECONDS - $3))"
    fi
  done
}

# step NAME REMEDY COMMAND...: runs the command with its output in a log and prints one line with the time taken.
# Not to be called inside a condition: there the shell would let the command run on after an error.
step() {
  local name="$1" remedy="$2" start="$SECONDS" status=0 log
  shift 2
  log="$log_dir/$(printf '%s' "$name" | tr -cs 'A-Za-z0-9' '-' | sed 's/-$//').log"
  mkdir -p "$log_dir"
  watch_step "$name" "$log" "$start" &
  local watcher=$!
  set +e
  (
    set -euo pipefail
    "$@"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  if [ -t 1 ]; then printf '\r\033[K'; fi
  if [ "$status" -ne 0 ]; then step_failed "$name" "$remedy" "$status" "$log"; fi
  printf '  %-34s %4d s\n' "$name" "$((SECONDS - start))"
}

step_failed() {
  printf '  %-34s failed\n' "$1"
  {
    printf '\n%s: the step "%s" failed (status %s). The end of its log:\n\n' "$script_name" "$1" "$3"
    tail -n 20 "$4" | sed 's/^/    /'
    printf '\nwhole log: %s\nwhat to do: %s\n' "$4" "$2"
  } >&2
  exit 1
}

# take_lock: one set-up at a time in this cache; a second one waits. Held until the script ends.
take_lock() {
  mkdir -p "$cache"
  exec 9>"$cache/.setup.lock"
  if ! flock -n 9; then
    say "another set-up is using $cache; waiting for it"
    flock 9
  fi
}
