#!/usr/bin/env bash
# check-arm64.sh: builds the kernels and their tests for AArch64 and runs them by an emulator, as a Cortex-A72 (Raspberry
# Pi 4: NEON) and as a Cortex-A76 (Raspberry Pi 5: with its dot products). Installs Debian's cross compiler and QEMU; libraries for
# AArch64 go to build/arm64 and nowhere else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$PWD/build/arm64
mkdir -p "$work"/{lists/partial,archives/partial,objects}

as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
if ! { command -v aarch64-linux-gnu-g++ && command -v qemu-aarch64; } >/dev/null; then
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    g++-aarch64-linux-gnu qemu-user
fi

if [[ ! -d $work/root ]]; then
  # An apt of its own, which knows of nothing but AArch64, and installs nothing.
  apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)"
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::State::Status=/dev/null)
  "${apt[@]}" update
  (cd "$work/archives" && "${apt[@]}" download libgtest-dev librapidcheck-dev libfmt-dev libfmt9 libexpected-dev)
  for package in "$work"/archives/*.deb; do dpkg --extract "$package" "$work/root.part"; done
  mv "$work/root.part" "$work/root"
fi
libraries=$work/root/usr/lib/aarch64-linux-gnu

export work
compile() {
  aarch64-linux-gnu-g++ -std=c++20 -O1 -Wall -Wextra -Werror -ffp-contract=off -I. -isystem "$work/root/usr/include" \
    -DSPANKER_SOURCE_DIR="\"$PWD\"" -c "$1" -o "$work/objects/$(basename "$1" .cpp).o"
}
export -f compile
rm -f "$work"/objects/*.o
{
  ls spanker/kernels/*.cpp
  printf 'spanker/base/%s.cpp\n' result float16 text utf8 format_quantity file
} | xargs -P "$(nproc)" -I{} bash -c 'compile {}'
aarch64-linux-gnu-g++ "$work"/objects/*.o -o "$work/test_kernels" -L"$libraries" -lgtest_main -lgtest -lrapidcheck -lfmt -pthread

for processor in cortex-a72 cortex-a76; do
  echo "== $processor"
  # The emulator does not run out of threads as a system does.
  QEMU_CPU=$processor qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$libraries" "$work/test_kernels" \
    --gtest_brief=1 --gtest_filter=-ReadBandwidth.MoreThreadsThanTheSystemGives
done
