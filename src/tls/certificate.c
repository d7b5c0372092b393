/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include <arpa/inet.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/certificate.h"

/* Nobody reads more of them. */
#define NAMES_MAX 20

static char *
name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	char *text;
	long length;

	if (bio == NULL)
		return g_strdup("?");
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	length = BIO_get_mem_data(bio, &bytes);
	text = g_strndup(bytes, (gsize)MAX(length, 0));
	BIO_free(bio);
	return text;
}

static void
add_address(GString *names, const ASN1_OCTET_STRING *address)
{
	int length = ASN1_STRING_length(address);
	char text[INET6_ADDRSTRLEN] = "?";

	if (length == 4 || length == 16)
		inet_ntop(length == 4 ? AF_INET : AF_INET6,
		    ASN1_STRING_get0_data(address), text, sizeof(text));
	g_string_append(names, text);
}

static void
add_name(GString *names, const GENERAL_NAME *name)
{
	const ASN1_IA5STRING *dns;
	const char *bytes;

	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return;
	if (names->len > 0)
		g_string_append(names, ", ");
	if (name->type == GEN_IPADD) {
		add_address(names, name->d.iPAddress);
		return;
	}
	dns = name->d.dNSName;
	bytes = (const char *)ASN1_STRING_get0_data(dns);
	/* What is behind a NUL must not be hidden. */
	for (int i = 0; i < ASN1_STRING_length(dns); i++)
		g_string_append_c(names, bytes[i] != '\0' ? bytes[i] : '?');
}

static char *
names_text(const X509 *x509)
{
	GENERAL_NAMES *found =
	    X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	GString *names = g_string_new(NULL);
	int count = found != NULL ? sk_GENERAL_NAME_num(found) : 0;

	for (int i = 0; i < MIN(count, NAMES_MAX); i++)
		add_name(names, sk_GENERAL_NAME_value(found, i));
	if (count > NAMES_MAX)
		g_string_append(names, ", ...");
	if (names->len == 0)
		g_string_append(names, "none");
	GENERAL_NAMES_free(found);
	return g_string_free(names, FALSE);
}

gboolean
certificate_read(struct certificate *certificate, X509 *x509)
{
	int days = 0;
	int seconds = 0;

	if (x509 == NULL ||
	    ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x509)) !=
		1) {
		ERR_clear_error();
		return FALSE;
	}
	*certificate = (struct certificate){
	    .subject = name_text(X509_get_subject_name(x509)),
	    .issuer = name_text(X509_get_issuer_name(x509)),
	    .names = names_text(x509),
	    /* Less than a day ago is a day ago. */
	    .days = days < 0 || seconds < 0 ? MIN(days, -1) : days,
	};
	ERR_clear_error();
	return TRUE;
}

void
certificate_clear(struct certificate *certificate)
{
	g_free(certificate->subject);
	g_free(certificate->issuer);
	g_free(certificate->names);
}
