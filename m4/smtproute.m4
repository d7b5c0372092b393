dnl SPDX-License-Identifier: BSD-2-Clause

dnl SR_PROBE(VARIABLE, CFLAGS-LIKE VARIABLE TO TRY IT IN, FLAG)
dnl Appends FLAG to VARIABLE if the compiler and linker take it.
AC_DEFUN([SR_PROBE], [
	AC_MSG_CHECKING([whether $CC takes $3])
	sr_saved=$$2
	$2="$$2 -Werror $3"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]],
		[[char b[16]; memset(b, 0, sizeof(b)); return b[0];]])],
		[AC_MSG_RESULT([yes]); $1="$$1 $3"],
		[AC_MSG_RESULT([no])])
	$2=$sr_saved
])

dnl SR_HARDENING
dnl Sets HARDENING_CPPFLAGS, HARDENING_CFLAGS and HARDENING_LDFLAGS.
AC_DEFUN([SR_HARDENING], [
	AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening],
		[build without PIE, RELRO, stack protector and FORTIFY])])
	AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers],
		[build with AddressSanitizer and UBSan, for tests])])
	dnl FORTIFY and the sanitizers report the same faults in two ways.
	AS_IF([test "x$enable_hardening" != xno], [
		SR_PROBE([HARDENING_CFLAGS], [CFLAGS], [-fPIE])
		SR_PROBE([HARDENING_LDFLAGS], [LDFLAGS], [-pie])
		SR_PROBE([HARDENING_CFLAGS], [CFLAGS],
			[-fstack-protector-strong])
		SR_PROBE([HARDENING_CFLAGS], [CFLAGS],
			[-fstack-clash-protection])
		SR_PROBE([HARDENING_CFLAGS], [CFLAGS], [-fcf-protection])
		SR_PROBE([HARDENING_LDFLAGS], [LDFLAGS], [-Wl,-z,relro])
		SR_PROBE([HARDENING_LDFLAGS], [LDFLAGS], [-Wl,-z,now])
		SR_PROBE([HARDENING_LDFLAGS], [LDFLAGS],
			[-Wl,-z,noexecstack])
		AS_IF([test "x$enable_sanitizers" != xyes],
			[SR_FORTIFY])
	])
	AC_SUBST([HARDENING_CPPFLAGS])
	AC_SUBST([HARDENING_CFLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
])

dnl SR_FORTIFY
dnl It needs optimisation, and a packager's own setting is left alone.
AC_DEFUN([SR_FORTIFY], [
	AS_CASE(["$CPPFLAGS $CFLAGS"],
		[*_FORTIFY_SOURCE*], [],
		[*-O0*], [],
		[*-O*], [SR_PROBE([HARDENING_CPPFLAGS], [CPPFLAGS],
			[-D_FORTIFY_SOURCE=2])])
])

dnl SR_SANITIZERS
AC_DEFUN([SR_SANITIZERS], [
	AS_IF([test "x$enable_sanitizers" = xyes], [
		SR_PROBE([SANITIZER_FLAGS], [CFLAGS],
			[-fsanitize=address,undefined])
		AS_IF([test -z "$SANITIZER_FLAGS"], [AC_MSG_ERROR(
			[$CC cannot link with -fsanitize=address,undefined])])
		SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize-recover=all"
		SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-omit-frame-pointer"
	])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
	AC_SUBST([SANITIZER_FLAGS])
])
