# llama.cpp v0.5.0 in the cache:
#   include/  headers: of the library, and under common/ those of the chat-template runtime
#   lib/      the compiled libraries of the npm package
#   source/   what CMake needs to compile it
#   native/   the CPU backend compiled for this machine
# shellcheck shell=bash

llama_root="$cache/llama.cpp-0.5.0"
llama_source_folders=(include ggml common src vendor cmake models/templates CMakeLists.txt LICENSE)

# binary_package GPU: the npm package for this machine.
binary_package() {
  local machine
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) machine=linux-x64 ;;
    Linux-aarch64) machine=linux-arm64 ;;
    *) fail "there is no prebuilt llama.cpp for $(uname -s) on $(uname -m); use --llama source or --llama system" ;;
  esac
  if [ "$1" != none ]; then machine="$machine-$1"; fi
  printf '@node-llama-cpp/%s\n' "$machine"
}

# llama_stamp [PACKAGE]: changes when anything that the folder is made from changes.
llama_stamp() {
  say "layout 1"
  say "node-llama-cpp $(npm_lock node-llama-cpp)"
  if [ $# -gt 0 ]; then say "$1 $(npm_lock "$1")"; fi
}

# extract_source ARCHIVE FOLDER
extract_source() {
  local scratch="$2.scratch"
  mkdir -p "$2" "$scratch"
  tar -xzf "$1" -C "$scratch" package/llama/gitRelease.bundle
  git clone --quiet --no-checkout "$scratch/package/llama/gitRelease.bundle" "$scratch/clone"
  git -C "$scratch/clone" archive HEAD "${llama_source_folders[@]}" | tar -x -C "$2"
  rm -rf "$scratch"
}

# copy_headers SOURCE INCLUDE
copy_headers() {
  mkdir -p "$2/common/jinja"
  cp "$1"/include/*.h "$1"/ggml/include/*.h "$2"
  cp "$1"/common/*.h "$2/common"
  cp "$1"/common/jinja/*.h "$2/common/jinja"
}

# extract_libraries ARCHIVE LIB: the GPU packages call two libraries by another name (libllama.vulkan.v0.5.0.so); links
# with the plain names stand beside them, for the linker.
extract_libraries() {
  local library
  mkdir -p "$2"
  tar -xzf "$1" -C "$2" --wildcards --strip-components=3 'package/bins/*/*.so'
  for library in libllama libggml; do
    if [ ! -e "$2/$library.v0.5.0.so" ]; then (cd "$2" && ln -s "$library".*.v0.5.0.so "$library.v0.5.0.so"); fi
  done
}

# make_llama [PACKAGE]: source and headers, and the package's libraries; made beside the old folder, then put in its place.
make_llama() {
  local archive made="$llama_root.new"
  rm -rf "$made"
  archive="$(fetch_npm node-llama-cpp)"
  extract_source "$archive" "$made/source"
  copy_headers "$made/source" "$made/include"
  if [ $# -gt 0 ]; then
    archive="$(fetch_npm "$1")"
    extract_libraries "$archive" "$made/lib"
  fi
  llama_stamp "$@" >"$made/stamp"
  replace_folder "$made" "$llama_root"
}

# replace_folder NEW OLD
replace_folder() {
  rm -rf "$2.old"
  if [ -e "$2" ]; then mv "$2" "$2.old"; fi
  mv "$1" "$2"
  rm -rf "$2.old"
}

llama_remedy="see that 'npm view node-llama-cpp version' works, then run this again"

# install_llama GPU: headers, source and compiled libraries.
install_llama() {
  local package
  package="$(binary_package "$1")"
  if [ "$(cat "$llama_root/stamp" 2>/dev/null)" = "$(llama_stamp "$package")" ]; then
    say "  llama.cpp v0.5.0: present"
    return
  fi
  need_npm
  step "llama.cpp v0.5.0" "$llama_remedy" make_llama "$package"
}

# install_llama_source: a folder with libraries has the source too.
install_llama_source() {
  if [ "$(head -n 2 "$llama_root/stamp" 2>/dev/null)" = "$(llama_stamp)" ]; then
    say "  source of llama.cpp v0.5.0: present"
    return
  fi
  need_npm
  step "source of llama.cpp v0.5.0" "$llama_remedy" make_llama
}

# cpu_model: what the compiler is told by -march=native, and for whom.
cpu_model() { grep -E -m 2 '^(model name|flags)' /proc/cpuinfo | sort -u; }

cpu_has() {
  local flag
  for flag in "$@"; do
    grep -qE "^flags.*[[:space:]]$flag([[:space:]]|\$)" /proc/cpuinfo || return 1
  done
}

native_flags="-march=native"
# g++ 11 and 12 remove the AMX tile configuration as a dead store; the first tile instruction then faults.
native_cxx_flags="$native_flags -fno-tree-dse -fno-dse"

# native_stamp: one CPU, one compiler, one version of llama.cpp.
native_stamp() { { cat "$llama_root/stamp" && cpu_model && c++ --version && say "$native_cxx_flags"; } | sha256sum; }

# build_native: compiles ggml's CPU backend against the prebuilt base library, whose name it must ask for
# (CMAKE_PLATFORM_NO_VERSIONED_SONAME): a second copy of the base in one process would not share its registry.
build_native() {
  local work="$llama_root/native.build" made="$llama_root/native.new"
  rm -rf "$work" "$made"
  cmake -S "$llama_root/source" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DGGML_BACKEND_DL=ON -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON \
    -DGGML_F16C=ON -DGGML_BMI2=ON -DGGML_LLAMAFILE=ON -DGGML_OPENMP=OFF \
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
    -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_CURL=OFF \
    -DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "-DCMAKE_INSTALL_RPATH=\$ORIGIN" \
    "-DCMAKE_C_FLAGS=$native_flags" "-DCMAKE_CXX_FLAGS=$native_cxx_flags"
  # ccache sees the words -march=native, not the CPU they stand for.
  CCACHE_NAMESPACE="valence-$(native_stamp | cut -c 1-16)" cmake --build "$work" --target ggml-cpu
  mkdir -p "$made"
  cp "$work/bin/libggml-cpu.so" "$made/libggml-cpu-native.so"
  ln -s ../lib/libggml-base.so "$made/libggml-base.so"
  native_stamp >"$made/stamp"
  replace_folder "$made" "$llama_root/native"
  rm -rf "$work"
}

# install_native: whether it is used is decided later, by `valence model backend --choose`, which measures it.
install_native() {
  if [ "$(uname -m)" != x86_64 ] || ! cpu_has avx avx2 fma f16c bmi2; then
    say "  CPU backend for this machine: skipped (needs x86-64 with AVX2, FMA, F16C and BMI2); the prebuilt one is used"
  elif [ "$(cat "$llama_root/native/stamp" 2>/dev/null)" = "$(native_stamp)" ]; then
    say "  CPU backend for this machine: present"
  else
    step "CPU backend for this machine" "run scripts/setup --no-native to go on with the prebuilt backend" build_native
  fi
}
