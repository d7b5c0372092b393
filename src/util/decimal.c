/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "util/decimal.h"

const char *
decimal(guint64 number, char text[DECIMAL_SIZE])
{
	char *digit = text + DECIMAL_SIZE - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return digit;
}
