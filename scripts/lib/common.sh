# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What every script here shares: messages, root, undoing on exit, loop devices, partitions of a drive file.
# To be sourced. Sets: root_dir, sudo (array, empty for root), script.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=scripts/$(basename "$0")
export LC_ALL=C.UTF-8
export PATH="$PATH:/usr/sbin:/sbin"
unset CDPATH

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' green='' red='' plain=''
fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '   %s\n' "$*"; }
good() { printf '   %sok%s  %s\n' "$green" "$plain" "$*"; }
die() { printf '%s%s: %s%s\n' "$red" "$script" "$*" "$plain" >&2; exit 1; }

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  sudo=(sudo)
fi
need_root() {
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "run as root, or install sudo: $1"
}
need_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "$tool is missing; run scripts/setup first"
  done
}

# Commands to run on every way out, newest first.
undo_list=()
on_exit() { undo_list+=("$1"); }
undo_all() {
  local status=$? i
  trap - EXIT
  set +e
  for ((i = ${#undo_list[@]} - 1; i >= 0; i--)); do
    eval "${undo_list[i]}"
  done
  exit "$status"
}
trap undo_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# attach_loop VARIABLE FILE OFFSET_BYTES SIZE_BYTES [losetup option…]: a loop device over a part of a file, detached
# on exit. Refuses a device that does not belong to FILE (somebody else took it between two steps).
attach_loop() {
  local -n attached=$1
  local file offset=$3 size=$4
  file=$(realpath "$2")
  shift 4
  attached=$("${sudo[@]}" losetup --find --show "$@" --offset "$offset" --sizelimit "$size" "$file") ||
    die "no loop device for $file (root and /dev/loop* are needed)"
  own_loop "$attached" "$file"
  on_exit "detach_loop $attached '$file'"
}
loop_is_ours() { [ "$("${sudo[@]}" losetup --noheadings --output BACK-FILE "$1" 2>/dev/null)" = "$2" ]; }
own_loop() { loop_is_ours "$1" "$(realpath "$2")" || die "$1 is not a loop device of $2: left alone"; }
detach_loop() {
  local tries
  for tries in 1 2 3 4 5; do
    loop_is_ours "$1" "$2" || return 0
    "${sudo[@]}" losetup --detach "$1" && return 0
    sleep "0.$tries"
  done
}

# mount_at DIRECTORY COMMAND…: runs a mount command and has the directory unmounted on exit.
mount_at() {
  local where=$1
  shift
  mkdir -p "$where"
  on_exit "unmount_at '$where'"
  "${sudo[@]}" "$@"
}
unmount_at() {
  local tries
  for tries in 1 2 3 4 5; do
    mountpoint -q "$1" || return 0
    "${sudo[@]}" umount "$1" 2>/dev/null && break
    sleep "$tries"
  done
  # ntfs-3g goes on writing for a moment after umount returns.
  while pgrep -f "ntfs-3g.* $1\$" >/dev/null; do sleep 0.1; done
}

# partitions_of FILE: one line "number offset_bytes size_bytes type" for each partition that holds data.
partitions_of() {
  sfdisk --json "$1" | jq -r '.partitiontable as $t | ($t.sectorsize // 512) as $s | $t.partitions[]
    | select(.type | ascii_downcase | IN("5", "f", "85") | not)
    | "\(.node | capture("(?<n>[0-9]+)$").n) \(.start * $s) \(.size * $s) \(.type)"'
}

# file_system_at FILE OFFSET_BYTES: ntfs, ext4, vfat …
file_system_at() { blkid --probe --offset "$2" --output value --match-tag TYPE "$1"; }

# mebibytes 4G -> 4096
mebibytes() {
  case $1 in
    *[0-9]T) echo $((${1%T} * 1024 * 1024)) ;;
    *[0-9]G) echo $((${1%G} * 1024)) ;;
    *[0-9]M) echo "${1%M}" ;;
    *) die "$1 is not a size: write 400M or 4G" ;;
  esac
}

now_ms() { date +%s%3N; }
# timed VARIABLE COMMAND…: milliseconds of wall time into VARIABLE.
timed() {
  local -n elapsed_ms=$1
  local begin
  shift
  begin=$(now_ms)
  "$@"
  # shellcheck disable=SC2034  # a reference to the caller's variable
  elapsed_ms=$(($(now_ms) - begin))
}
seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }

# tintype_binary PRESET: builds it and prints its path; $TINTYPE_PROGRAM, when set, is taken as it is.
tintype_binary() {
  if [ -n "${TINTYPE_PROGRAM:-}" ]; then
    realpath "$TINTYPE_PROGRAM"
    return
  fi
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  (cd "$root_dir" && cmake --preset "$1" "${launcher[@]}" && cmake --build --preset "$1" --target tintype) >&2 ||
    die "the $1 build failed"
  echo "$root_dir/build/$1/src/ui/cli/tintype"
}
