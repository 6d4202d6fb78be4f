# A fresh Debian 12 in a folder, with this machine's package-client settings and nothing else of it.
# shellcheck shell=bash

release=bookworm

# debian_mirror: where this machine gets that release from; empty if it is of another release.
debian_mirror() {
  # shellcheck disable=SC2016  # apt-get's own fields
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk -v r="$release" '$1 == r { print $2; exit }'
}

# make_base ARCHIVE: debootstrap's smallest system with git, kept for the next time.
make_base() {
  local folder="$1.new" mirror
  rm -rf "$folder"
  mkdir -p "$folder"
  mirror="$(debian_mirror)"
  # shellcheck disable=SC2086  # no argument where there is no mirror
  debootstrap --variant=minbase --include=ca-certificates,git "$release" "$folder" $mirror
  rm -f "$folder"/var/cache/apt/archives/*.deb
  tar --create --one-file-system --directory "$folder" --file "$1.part" .
  mv "$1.part" "$1"
  rm -rf "$folder"
}

# give CHROOT PATH...: copies what exists of it to the same place.
give() {
  local chroot="$1" path
  shift
  for path in "$@"; do
    if [ -e "$path" ]; then
      mkdir -p "$chroot$(dirname "$path")"
      cp -rL "$path" "$chroot$(dirname "$path")/"
    fi
  done
}

# apt_settings: how to reach the archive; not what to install or to run.
apt_settings() {
  printf '%s\n' /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/auth.conf /etc/apt/auth.conf.d \
    /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d /etc/apt/keyrings /usr/share/keyrings
  grep -lE '^[[:space:]]*Acquire' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null || true
}

# give_settings CHROOT
give_settings() {
  local paths
  rm -f "$1/etc/apt/sources.list"
  mapfile -t paths < <(apt_settings)
  give "$1" "${paths[@]}" /etc/resolv.conf /etc/hosts /etc/pip.conf /usr/local/share/ca-certificates
  give_home_settings "$1"
  chroot "$1" update-ca-certificates >/dev/null 2>&1
}

# give_home_settings CHROOT: root's home there is /root.
give_home_settings() {
  local path
  for path in .npmrc .config/pip/pip.conf .pip/pip.conf; do
    if [ -f "$HOME/$path" ]; then install -D -m 600 "$HOME/$path" "$1/root/$path"; fi
  done
  if have npm; then
    path="$(npm config get globalconfig 2>/dev/null)"
    if [ -f "$path" ]; then install -D -m 600 "$path" "$1/etc/npmrc"; fi
  fi
}

# client_variables: NAME=VALUE of the variables that package clients read. A folder of wheels here is not a setting there.
client_variables() {
  env | grep -E '^(PIP_[A-Z_]+|[Nn][Pp][Mm]_[A-Za-z_]+|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|GIT_SSL_CAINFO|([A-Za-z]+)_(proxy|PROXY))=' |
    grep -v '^PIP_FIND_LINKS=' || true
}

# give_variable_files CHROOT: the files that those variables name, where the chroot has none.
give_variable_files() {
  local value
  while IFS='=' read -r _ value; do
    if [ -f "$value" ] && [ ! -e "$1$value" ]; then give "$1" "$value"; fi
  done < <(client_variables)
}

# make_chroot ARCHIVE CHROOT
make_chroot() {
  mkdir -p "$2"
  tar --extract --directory "$2" --file "$1"
  give_settings "$2"
  give_variable_files "$2"
  mount -t proc proc "$2/proc"
  mkdir -p "$2/dev/shm"
  mount -t tmpfs tmpfs "$2/dev/shm"
}

# remove_chroot CHROOT: never crosses into what is still mounted.
remove_chroot() {
  local point
  for point in dev/shm proc; do
    if mountpoint -q "$1/$point"; then umount -l "$1/$point"; fi
  done
  rm -rf --one-file-system "$1"
}

# in_chroot CHROOT COMMAND: with a fresh environment, in the clone.
in_chroot() {
  local variables
  mapfile -t variables < <(client_variables)
  if [ -f "$1/etc/npmrc" ]; then variables+=(npm_config_globalconfig=/etc/npmrc); fi
  chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 "${variables[@]}" bash -c "cd /root/valence && $2"
}
