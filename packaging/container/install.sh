#!/bin/sh
# Installs the runner and the chosen plugins from a directory of packages, with the libraries that they depend on.
# usage: install.sh PACKAGES PLUGINS     PLUGINS: all, none, or namespaces with commas or spaces between them
set -eu
packages=$1
plugins=/usr/lib/par-runner/plugins
wanted=$(echo "$2" | tr ',' ' ')
known=
for deb in "$packages"/par-plugin-*.deb; do
  for file in $(dpkg-deb --contents "$deb" | sed -n "s|.* \.$plugins/\(.*\)\.so$|\1|p"); do known="$known $file"; done
done
[ "$wanted" = all ] && wanted=$known
[ "$wanted" = none ] && wanted=
for name in $wanted; do
  case " $known " in *" $name "*) ;; *) echo "PLUGINS: no plugin $name; there are:$known" >&2; exit 1 ;; esac
done

# A package may hold more than one plugin: dpkg leaves out what was not chosen. There is no service manager and no manual here.
{
  echo "path-exclude=$plugins/*"
  for name in $wanted; do echo "path-include=$plugins/$name.so"; done
  echo "path-exclude=/usr/lib/systemd/*"; echo "path-exclude=/lib/systemd/*"
  echo "path-exclude=/usr/lib/sysusers.d/*"; echo "path-exclude=/usr/lib/tmpfiles.d/*"
} > /etc/dpkg/dpkg.cfg.d/par-runner

set -- "$packages"/par-runner_*.deb ca-certificates tzdata curl
for deb in "$packages"/par-plugin-*.deb; do
  contents=$(dpkg-deb --contents "$deb")
  for name in $wanted; do
    case $contents in *"$plugins/$name.so"*) set -- "$@" "$deb"; break ;; esac
  done
done
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy --no-install-recommends "$@"
mkdir -p "$plugins"

# dog owns what the runner may write; group 0 may as well, since some clusters start it as an arbitrary user of that group.
useradd --uid 1000 --no-create-home --home-dir /home/dog --shell /bin/bash dog
install -d -o dog -g 0 -m 0775 /home/dog /etc/dd-action-runner/config

rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/cache/debconf/*-old \
  /var/lib/dpkg/*-old /var/log/apt /var/log/*.log /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-
# The day of the account's last password change is the only thing that would tell when this ran.
sed -i 's/^\(dog:[^:]*\):[0-9]*:/\1:0:/' /etc/shadow
