# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# Read by contrib/check and contrib/check-package, after contrib/packages.sh:
# a release of Debian, made by debootstrap(8) in $work/root, and commands in it.
# What they mount and start ends with end_child, even by SIGKILL.

child=

end_child() {
	if [ -n "$child" ]; then
		kill -KILL "$child" || :
		wait "$child" || :
	fi
}

# in_suite command...: in the background, since sh hears no signal while it
# waits for others.
#
# Mounts and processes have namespaces of their own, which end with it.  The
# folder becomes their root: below chroot(8), "/" would be no mount point, and
# tests could have no namespaces of their own.
in_suite() {
	# shellcheck disable=SC2016 # expanded by the inner sh
	unshare --mount --pid --fork --kill-child sh -ec '
		mount --bind "$1" "$1"
		cd "$1"
		shift
		mount -t proc proc proc
		mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
		mount -t tmpfs -o mode=1777 tmpfs dev/shm
		pivot_root . .
		umount -l .
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
	' sh "$work/root" CI="${CI-}" TERM="${TERM-dumb}" "$@" </dev/null &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	return "$status"
}

# make_suite release: with the source tree in /smtproute.
make_suite() {
	if [ "$(id -u)" != 0 ]; then
		say 'This needs root: it makes a system in a folder.' >&2
		exit 1
	fi
	# shellcheck disable=SC2086 # words
	install_packages $SUITE_PACKAGES
	say "Making a folder with Debian $1."
	# Nobody needs it after a crash: dpkg(1) is not to wait for the disk.
	mkdir -p "$work/root/etc/dpkg/dpkg.cfg.d"
	echo force-unsafe-io >"$work/root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	quietly debootstrap --variant=minbase \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"$1" "$work/root" \
		"${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
	printf '%s\n' '127.0.0.1 localhost' '::1 localhost' \
		>"$work/root/etc/hosts"
	quietly copy_tree
	mv "$work/tree" "$work/root/smtproute"
}
