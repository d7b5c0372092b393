/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Colours of mail are near those of Okabe and Ito, which colour-blind people
 * tell apart; every state has a shape and words as well.  A narrow screen has
 * the rows of tables as cards, with each cell's heading beside it.
 */

#include <config.h>

#include <string.h>

#include "ctl/serve/style.h"

static const char light_and_dark[] =
    ":root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#1b1f24;"
    "--faint:#57606a;--rule:#d0d7de;--link:#0550ae;"
    "--good:#0f5323;--goodbg:#dcf5e3;--warn:#6b4300;--warnbg:#fff3c4;"
    "--bad:#96081f;--badbg:#ffe5e3;"
    "--sent:#0072b2;--late:#b87800;--back:#b5548f;--fail:#d55e00}"
    "@media(prefers-color-scheme:dark){:root{--page:#0d1117;--card:#161b22;"
    "--text:#e6edf3;--faint:#a3adb8;--rule:#30363d;--link:#79b8ff;"
    "--good:#6fdd8b;--goodbg:#11281a;--warn:#f2cc60;--warnbg:#2b2310;"
    "--bad:#ff9d94;--badbg:#351518;"
    "--sent:#56b4e9;--late:#f0b429;--back:#e39bc6;--fail:#ff8a3d}}";

static const char layout[] =
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:84rem;padding:1rem;background:var(--page);"
    "color:var(--text);font:1rem/1.45 system-ui,sans-serif;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.05rem;font-weight:600;margin:0 0 .75rem;"
    "color:var(--faint)}"
    "h2{font-size:1.15rem;margin:0}"
    "p{margin:.25rem 0}"
    "a{color:var(--link)}"
    "main>section,table,.figures>div{background:var(--card);"
    "border:1px solid var(--rule);border-radius:.6rem}"
    ".faint,.legend,footer,dt{color:var(--faint)}"
    ".legend,footer,.small{font-size:.875rem}"
    ".legend span{white-space:nowrap;margin-right:.35rem}"
    ".key{width:.75em;height:.75em;margin-right:.3em}"
    ".icon{width:1em;height:1em;flex:none;vertical-align:-.125em;"
    "margin-right:.4em;fill:currentColor}"
    ".verdict{border:1px solid;border-left-width:.5rem;border-radius:.6rem;"
    "padding:.8rem 1rem;margin:0 0 1rem}"
    ".verdict strong{font-size:1.35rem;line-height:1.25}"
    ".verdict ul{margin:.4rem 0 0;padding-left:1.2rem}"
    ".good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}"
    ".verdict.good{background:var(--goodbg)}"
    ".verdict.warn{background:var(--warnbg)}"
    ".verdict.bad{background:var(--badbg)}"
    ".figures{display:grid;gap:.6rem;margin:0 0 1rem;"
    "grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))}"
    ".figures>div{padding:.5rem .8rem}"
    ".figures dt{font-size:.875rem}"
    ".figures dd{margin:0;font-size:1.4rem;font-weight:600;"
    "font-variant-numeric:tabular-nums}"
    ".figures .small{font-size:.8125rem;font-weight:400;display:block}";

static const char tables[] =
    "table{width:100%;border-collapse:separate;border-spacing:0;"
    "margin:0 0 1.2rem}"
    "caption{text-align:left;padding:0 0 .5rem}"
    "th,td{padding:.55rem .7rem;text-align:left;vertical-align:top;"
    "border-top:1px solid var(--rule)}"
    "thead th{border-top:0;font-size:.8125rem;font-weight:600;"
    "color:var(--faint);vertical-align:bottom}"
    "tbody th{font-weight:600}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;"
    "overflow-wrap:normal}"
    ".state{font-weight:600;white-space:nowrap}"
    ".error{display:block;margin-top:.2rem;font-size:.875rem;"
    "font-family:ui-monospace,monospace}"
    ".day{display:block;width:100%;min-width:9rem;height:3.4rem}"
    ".pair{white-space:nowrap}"
    ".bar{display:block;width:6rem;max-width:100%;height:.5rem}"
    ".sent{fill:var(--sent)}.late{fill:var(--late)}.back{fill:var(--back)}"
    ".fail{fill:var(--fail)}.line,.rest{fill:var(--rule)}"
    "ol,ul.plain{margin:0;padding:0;list-style:none}"
    ".then{color:var(--faint);font-size:.875rem}"
    "@media(min-width:60.01rem){.hosts th.h>div{min-width:12rem}"
    ".hosts td.s{width:26%}.hosts td.d{width:20%}}"
    "@media(max-width:60rem){"
    "table,tbody,caption{display:block}"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;"
    "clip-path:inset(50%)}"
    "table{border:0;background:none}"
    "tbody{background:var(--card);border:1px solid var(--rule);"
    "border-radius:.6rem}"
    "tr{display:grid;grid-template-columns:repeat(auto-fit,"
    "minmax(4.6rem,1fr));gap:.5rem .8rem;padding:.8rem;"
    "border-top:1px solid var(--rule)}"
    "tr:first-child{border-top:0}"
    "th,td{display:block;border:0;padding:0;min-width:0}"
    "th.h,td.s,td.d,td.w{grid-column:1/-1}"
    "th.h{font-size:1.0625rem}"
    "td.d::before,td.w::before,td.n::before{content:attr(data-label);"
    "display:block;font-size:.8125rem;font-weight:400;color:var(--faint)}"
    "td.n{text-align:left}"
    ".day{max-width:36rem}.bar{width:100%;max-width:36rem}}"
    "@media print{body{max-width:none;background:none}}";

const char *
style_text(void)
{
	static char *text;

	if (text == NULL)
		text = g_strconcat(light_and_dark, layout, tables, NULL);
	return text;
}

char *
style_policy(void)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize length = sizeof(digest);
	g_autofree char *base64 = NULL;

	g_checksum_update(sum, (const guchar *)style_text(), -1);
	g_checksum_get_digest(sum, digest, &length);
	base64 = g_base64_encode(digest, length);
	return g_strdup_printf("default-src 'none'; style-src 'sha256-%s'; "
			       "img-src data:; base-uri 'none'; "
			       "form-action 'none'; frame-ancestors 'none'",
	    base64);
}
