# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034
#
# Read by contrib/demo, contrib/check and .ci/run: which packages of Debian and
# Ubuntu they need, and how they build without touching the source tree.
#
# Who reads this has set $top, the source tree, and $work, an empty folder.

BUILD_PACKAGES='autoconf automake gcc libc-ares-dev libc6-dev libesmtp-dev
	libglib2.0-dev libjansson-dev liblmdb-dev libssl-dev make pkg-config'
DEMO_PACKAGES='perl postfix'
TEST_PACKAGES='bzip2 ca-certificates dovecot-core iproute2 ldnsutils
	libio-socket-ssl-perl mariadb-client-core mariadb-server-core
	openssl perl pflogsumm postfix postfix-ldap postfix-lmdb postfix-mysql
	postfix-pgsql postgresql prometheus python3-prometheus-client rsyslog
	slapd unbound xz-utils zstd'
# For .ci/run itself, and for "make warnings", "make lint", "make distcheck" and
# "make check-valgrind"; a browser for t/page.t, which is large.
CI_PACKAGES='ccache chromium clang clang-format cppcheck mandoc shellcheck
	valgrind'
# For "make fuzz": what clang's -fsanitize= links, a package of its own here.
case $(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME-}") in
bookworm) CI_PACKAGES="$CI_PACKAGES libclang-rt-14-dev" ;;
trixie) CI_PACKAGES="$CI_PACKAGES libclang-rt-19-dev" ;;
esac

# For contrib/suite.sh.
SUITE_PACKAGES='debian-archive-keyring debootstrap util-linux'

# Of these packages a service is started at boot; the tests start their own.
SERVICES='dovecot postfix postgresql prometheus rsyslog slapd unbound'

POLICY=/usr/sbin/policy-rc.d

say() {
	printf '%s\n' "$*"
}

# quietly command...: shows the command's output only if it fails.
quietly() {
	"$@" >"$work/log" 2>&1 </dev/null && return
	tail -n 50 "$work/log" >&2
	say "failed: $*" >&2
	return 1
}

is_installed() {
	dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null |
		grep -qx installed
}

# So that Debian starts no service that it installs, see invoke-rc.d(8).
forbid_services() {
	test ! -e $POLICY || return 0
	printf '#!/bin/sh\nexit 101\n' >$POLICY
	chmod 755 $POLICY
	made_policy=yes
}

allow_services() {
	test -z "${made_policy-}" || rm -f $POLICY
	made_policy=
}

disable_service() {
	if command -v systemctl >/dev/null; then
		systemctl disable "$1" || :
	fi
}

# apt_install package...: removes nothing, starts nothing, asks nothing.
apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get update || say 'apt-get update failed; trying without'
	echo 'postfix postfix/main_mailer_type select No configuration' |
		debconf-set-selections
	forbid_services
	apt-get install -y --no-remove --no-install-recommends "$@" || {
		allow_services
		return 1
	}
	allow_services
	for package in $SERVICES; do
		case " $* " in
		*" $package "*) disable_service "$package" ;;
		esac
	done
}

# install_packages package...: those that are missing.
install_packages() {
	missing=
	if ! command -v apt-get >/dev/null; then
		say "no apt-get here: hoping that there is what Debian calls"
		say "$*"
		return 0
	fi
	for package; do
		is_installed "$package" || missing="$missing $package"
	done
	if [ -z "$missing" ]; then
		return 0
	elif [ "$(id -u)" != 0 ]; then
		say "missing:$missing" >&2
		say 'Run this as root, or install them.' >&2
		return 1
	fi
	say "Installing:$missing"
	say 'No service is started or configured, no package removed.'
	# shellcheck disable=SC2086 # words
	quietly apt_install $missing
}

# The tree without what was built in it, in $work/tree.
copy_tree() {
	mkdir "$work/tree" &&
		tar -C "$top" --exclude=./.git --exclude='*.o' \
			--exclude='*.a' -cf "$work/tree.tar" . &&
		tar -C "$work/tree" --no-same-owner -xf "$work/tree.tar" &&
		rm "$work/tree.tar"
}

# In $work/build, out of the tree; goes there.
configure_build() {
	quietly copy_tree &&
		quietly "$work/tree/autogen.sh" &&
		rm -f "$work/tree/config.status" &&
		mkdir "$work/build" &&
		cd "$work/build" &&
		quietly "$work/tree/configure"
}

# build make's-argument...: the same, and make.
build() {
	say 'Building.'
	configure_build &&
		quietly make -j "$(getconf _NPROCESSORS_ONLN)" "$@"
}
