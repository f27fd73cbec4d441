#!/usr/bin/env bash
# Try a fresh clone where nothing is installed: in a bare Debian root, as somebody who is not root.
#
#   tools/bare.sh RELEASE [--newest] [demo|test|both]
#   tools/bare.sh RELEASE [--newest] walk PAGE…      paste what README and pages say to run, in order
#
# RELEASE is a name that debootstrap knows: bookworm, trixie, testing. What is tried is the last
# commit. `--newest` leaves the lock file aside and takes the newest of every dependency.
#
# Wants root and debootstrap. Package mirror, name servers, certificates and pip's configuration are
# this machine's. A root that was made is kept for a week in $XDG_CACHE_HOME/intygsadapter.
#
# Exit code: 0 passed, 1 failed in the root, 2 used wrongly, 3 there is no such root to be had here.
set -euo pipefail

PACKAGES=python3,python3-venv,python3-pip,git,make,ca-certificates
readonly CA_BUNDLE=etc/ssl/certs/ca-certificates.crt
readonly CLONE=home/user/intygsadapter

say() { printf 'bare: %s\n' "$*" >&2; }
not_here() { say "NOT TRIED: $*"; exit 3; }
usage() { sed -n 's/^# \{0,1\}//; 2,13p' "$0" >&2; exit 2; }

release="" newest="" targets="" pages=()
for word; do
  case $word in
    --newest) newest=1 ;;
    demo | test) targets=$word ;;
    both) targets="demo test" ;;
    walk) targets=walk ;;
    *.md) pages+=("$word") ;;
    -*) usage ;;
    *) [ -z "$release" ] || usage; release=$word ;;
  esac
done
[ -n "$release" ] || usage
targets=${targets:-demo test}

checkout=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/intygsadapter
kept=$cache/bare-$release.tar
if [ "$targets" = walk ]; then PACKAGES+=,curl kept=$cache/bare-$release-curl.tar; fi  # README wants it
[ "$(id -u)" = 0 ] || not_here "making a root wants root"
command -v debootstrap >/dev/null || not_here "debootstrap is not installed"

# What runs in it sees its own mounts and processes, which end with it, however it ends.
apart() { unshare --mount --pid --fork --kill-child --mount-proc -- "$@"; }
apart true || not_here "this machine lets nobody mount (unshare)"

scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
root=$scratch/root  # which its user may enter, but through $scratch no other user of this machine
mkdir "$root"

# --- the root -------------------------------------------------------------------------------------

# The mirror that apt uses for Debian itself; none, where apt has no such, leaves it to debootstrap.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1
}

make_root() {
  local log=$cache/bare-$release.log
  mkdir -p "$cache"
  say "making a root of $release"
  # shellcheck disable=SC2046  no mirror is no argument
  apart timeout 900 debootstrap --variant=minbase --include=$PACKAGES "$release" "$root" $(mirror) \
    >"$log" 2>&1 || { tail -n 5 "$log" >&2; not_here "debootstrap made no root of $release"; }
  chroot "$root" useradd --create-home --shell /bin/sh user
  rm -f "$root"/var/cache/apt/archives/*.deb
  tar -C "$root" --one-file-system -cf "$kept.$$" . && mv "$kept.$$" "$kept"
}

if [ -n "$(find "$kept" -mtime -7 2>/dev/null)" ]; then
  tar -C "$root" -xf "$kept"
else
  make_root
fi

# --- what is this machine's -----------------------------------------------------------------------

# Files of pip's configuration, and then whatever files and folders these name; of an index the
# folder around it, where its files are.
pip_files() {
  ls -d /etc/pip.conf /etc/xdg/pip "$HOME/.pip" "$HOME/.config/pip" "${PIP_CONFIG_FILE:-}" 2>/dev/null || true
}
pip_names() {
  { env | grep '^PIP_'; pip_files | xargs -r grep -rh =; } | sed 's#file://# #g' |
    grep -oE '[ =]/[^ ]+' | cut -c 2- | sed 's#/simple/*$##' | sort -u
}

cp /etc/resolv.conf /etc/hosts "$root/etc/"
[ ! -f "/$CA_BUNDLE" ] || cp "/$CA_BUNDLE" "$root/$CA_BUNDLE"
for file in $(pip_files); do
  there=$root${file/#$HOME\///home/user/}
  mkdir -p "$(dirname "$there")" && cp -rT "$file" "$there"
done
shown=()
for path in $(pip_names); do
  if [ ! -e "$path" ] || [ -e "$root$path" ]; then continue; fi
  if [ -d "$path" ]; then mkdir -p "$root$path"; else install -D /dev/null "$root$path"; fi
  shown+=("$path")
done

# --- the clone, and what is tried in it -----------------------------------------------------------

[ -z "$(git -C "$checkout" status --porcelain)" ] || say "what is not committed is not tried"
git clone --quiet --no-hardlinks "$checkout" "$root/$CLONE"
mkdir -p "$cache/pip" "$root/home/user/.cache/pip"
chroot "$root" chown -R user:user /home/user

in_root() {
  local root=$1 cache=$2 path
  shift 2
  mount -t proc proc "$root/proc"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount --bind "$cache/pip" "$root/home/user/.cache/pip"
  chroot "$root" chown user:user /home/user/.cache/pip
  for path; do mount --bind -o ro "$path" "$root$path"; done
  # Nothing of the environment but how the network is reached.
  mapfile -t kept < <(env | grep -iE '^(PIP_[A-Z_]*|(https?|no|all)_proxy)=' || true)
  exec chroot --userspec=user:user "$root" env -i "${kept[@]}" HOME=/home/user LANG=C.UTF-8 \
    PATH=/usr/local/bin:/usr/bin:/bin sh -c "cd ~/intygsadapter && $command"
}
export -f in_root

run() { command=$1 apart bash -euo pipefail -c 'in_root "$@"' bash "$root" "$cache" "${shown[@]}"; }

about=$(run 'python3 -c "import sqlite3, sys; print(\"Python\", sys.version.split()[0] + \", SQLite\", sqlite3.sqlite_version)"')
say "$release: $about${newest:+, the newest of every dependency}"

summary=() failed=0
for target in $targets; do
  log=$cache/bare-$release-$target.log
  began=$SECONDS
  command="make $target ${newest:+NEWEST=1}"
  if [ "$target" = walk ]; then command="${newest:+NEWEST=1 }python3 -m tools.walk ${pages[*]}"; fi
  if run "$command" 2>&1 | tee "$log"; then word=passed; else word=FAILED failed=1; fi
  summary+=("$release: $command $word in $((SECONDS - began)) s; it closed with: $(tail -n 1 "$log")")
done
[ -z "$newest" ] || run '.venv/bin/python -m pip freeze --exclude-editable'
for line in "${summary[@]}"; do say "$line"; done
exit $failed
