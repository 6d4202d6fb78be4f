# Debian packages: installed only where some are missing.
# shellcheck shell=bash

# package_names PURPOSE: quickstart, test, bench or all.
package_names() {
  case "$1" in
    quickstart) read_list "$lock_dir/packages-build.txt" ;;
    test) read_list "$lock_dir/packages-build.txt" "$lock_dir/packages-train.txt" "$lock_dir/packages-test.txt" ;;
    bench) read_list "$lock_dir/packages-build.txt" "$lock_dir/packages-bench.txt" ;;
    all) read_list "$lock_dir"/packages-*.txt ;;
  esac
}

# missing_packages NAME...: those that are not installed, one a line. dpkg-query fails when it does not know one.
missing_packages() {
  local installed
  installed="$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)"
  printf '%s\n' "$@" | installed="$installed" awk '
    BEGIN { n = split(ENVIRON["installed"], line, "\n"); for (i = 1; i <= n; i++) seen[line[i]] = 1 }
    !(($1 " installed") in seen)'
}

# as_root COMMAND...: directly, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -v; }; }

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"; }

# apt_install NAME...: with the package lists at hand, and with fresh ones if those do not do.
apt_install() {
  apt install --no-install-recommends "$@" && return
  retry 3 apt update
  retry 2 apt install --no-install-recommends "$@"
}

# install_packages PURPOSE
install_packages() {
  local names missing
  have dpkg-query || fail "this is not Debian (no dpkg-query). Install what scripts/lock/packages-*.txt name, then set VALENCE_NO_PACKAGES=1"
  # Package names have no spaces: a list is split at white space.
  # shellcheck disable=SC2207
  names=($(package_names "$1"))
  # shellcheck disable=SC2207
  missing=($(missing_packages "${names[@]}"))
  if [ "${#missing[@]}" -eq 0 ]; then
    say "  Debian packages: all ${#names[@]} present"
    return
  fi
  can_be_root || fail "${#missing[@]} Debian packages are missing and neither root nor sudo is at hand. Have them installed with:
  apt-get install --no-install-recommends ${missing[*]}"
  step "${#missing[@]} Debian packages" "see that apt-get update works and that the disk has 2 GB free, then run this again" \
    apt_install "${missing[@]}"
}
