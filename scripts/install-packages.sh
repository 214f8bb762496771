#!/usr/bin/env bash
# install-packages.sh build|tests|compilers
#
# Installs the Debian packages that the build (build), also its tests (tests) and also the second compiler (compilers)
# need. Asks apt for what dpkg does not know as installed, and for nothing else: without the network where all is there.
set -euo pipefail

packages=(g++ cmake ninja-build pkgconf libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libexpected-dev
  libpcre2-dev libsentencepiece-dev libsimgrid-dev libopenmpi-dev libpmix-dev openmpi-bin libhwloc-dev)
case "${1:-}" in
  build) ;;
  tests) packages+=(libgtest-dev librapidcheck-dev) ;;
  compilers) packages+=(libgtest-dev librapidcheck-dev clang-14 libclang-rt-14-dev) ;;
  *)
    echo "usage: install-packages.sh build|tests|compilers" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install-packages.sh: this is not Debian: install by other means what provides: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  # shellcheck disable=SC2016  # ${...} is dpkg's
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "install-packages.sh: installing ${missing[*]} needs root or sudo, and there is neither" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
