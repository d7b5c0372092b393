#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The status page in a browser: on a telephone, a tablet and a large screen,
# light and dark; that all of it can be read, and that nobody's text does harm.
# With PAGE_SHOTS=folder the pictures stay there, to be looked at.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Browser;
use Ctl;
use Fixture;
use SmtpHost;
use WebServer;

# Of the commands that run tests only .ci/run installs a browser.
plan skip_all => Browser->missing if Browser->missing;

my %VIEWS = (telephone => 320, tablet => 768, screen => 1440);
my $EVIL = q{421 <script>alert("x")</script> & 'a' <img src=x onerror=alert(1)> }
    . 'x' x 300;

# The least contrast (WCAG 2.1, section 1.4.3) of elements that @select is TRUE
# of, with the colour that @colour says, and whose it is.
my $CONTRAST = <<'EOF_SCRIPT';
(function (select, colour) {
    function parse(text) {
        var m = text.match(/^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/);
        if (!m)
            throw new Error('colour ' + text);
        return {rgb: [+m[1], +m[2], +m[3]], alpha: m[4] === undefined ? 1 : +m[4]};
    }
    function luminance(rgb) {
        var l = rgb.map(function (c) {
            c /= 255;
            return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
        });
        return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
    }
    function background(e) {
        for (; e; e = e.parentElement) {
            var c = parse(getComputedStyle(e).backgroundColor);
            if (c.alpha === 1)
                return c.rgb;
            if (c.alpha !== 0)
                throw new Error('half transparent');
        }
        throw new Error('no background');
    }
    var worst = {ratio: 99, count: 0};
    document.body.querySelectorAll('*').forEach(function (e) {
        if (!select(e))
            return;
        var a = luminance(parse(colour(getComputedStyle(e))).rgb);
        var b = luminance(background(e));
        var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        worst.count++;
        if (ratio < worst.ratio) {
            worst.ratio = ratio;
            worst.whose = e.outerHTML.slice(0, 200);
        }
    });
    return worst;
})
EOF_SCRIPT

my $OF_TEXT = <<'EOF_SCRIPT';
(function (e) {
    return !e.closest('svg') && Array.from(e.childNodes).some(function (n) {
        return n.nodeType === 3 && n.data.trim() !== '';
    });
}, function (style) { return style.color; })
EOF_SCRIPT

# Columns and signs, but for what is there to be faint.
my $OF_PICTURES = <<'EOF_SCRIPT';
(function (e) {
    return e.closest('svg') && (e.localName === 'rect' || e.localName === 'path')
        && !e.matches('.line, .rest');
}, function (style) { return style.fill; })
EOF_SCRIPT

# What a screen reader makes of it: how often it has which role.
sub roles {
    my ($browser) = @_;
    my %count;

    $browser->call('Accessibility.enable');
    for my $node (@{ $browser->call('Accessibility.getFullAXTree')->{nodes} }) {
        $count{ $node->{role}{value} }++ if !$node->{ignored};
    }
    return \%count;
}

my $evil = SmtpHost->new(per_connection => [{greeting => $EVIL}]);
my $good = SmtpHost->new;
my $idle = SmtpHost->new;
my $long = 'a-' . 'long' x 14 . '.' . 'name' x 14 . '.example.net';
my $agent = Agent->new(
    settings => {'retry-min' => '5m', 'retry-max' => '5m'},
    routes   => join('', map { "$_\n" }
        'example.com ' . $evil->destination . ', ' . $good->destination
            . '/pri=10',
        'b.example ' . $evil->destination,
        'c.example ' . $idle->destination,
        'd.example ' . "[$long]/pri=5, " . $good->destination . '/pri=20',
        'x' x 120 . '.example ' . $good->destination,
        "<script>alert(2)</script>\"'& " . $idle->destination,
        "\xe2\x80\xae\xd7\x90.example " . $idle->destination,
        '* USEDNS', 'e.example /dev/null'),
);
is $agent->deliver->status, 0, 'mail goes to the second host';
is $agent->deliver(recipients => ['user@b.example'])->status, 75,
    'and none to the first';
Ctl->run(conf => $agent->conf, arguments => ['drain',
    substr($idle->destination, 1) =~ s/\]//r]);
$good->connections;
$evil->connections;

my $server = WebServer->new($agent);
my $browser = Browser->new;

for my $name (sort keys %VIEWS) {
    for my $scheme (qw(light dark)) {
        my $where = "$name, $scheme";
        $browser->view(width => $VIEWS{$name}, height => 900,
            scheme => $scheme);
        $browser->open($server->url . '/');

        is $browser->evaluate('matchMedia("(prefers-color-scheme: dark)")'
            . '.matches') ? 'dark' : 'light', $scheme, "$where: its scheme";
        is $browser->evaluate('innerWidth'), $VIEWS{$name}, "$where: its width";
        cmp_ok $browser->evaluate('document.documentElement.scrollWidth'), '<=',
            $VIEWS{$name}, "$where: nothing is to be scrolled sideways";
        is $browser->evaluate(<<'EOF_SCRIPT'), '', "$where: nothing is cut";
Array.from(document.body.querySelectorAll('*')).filter(function (e) {
    var box = e.getBoundingClientRect();
    return !e.closest('thead') && box.width > 0
        && (box.right > innerWidth + 1 || box.left < -1
            || (!e.closest('svg') && e.scrollWidth > e.clientWidth + 1
                && getComputedStyle(e).display !== 'inline'));
}).map(function (e) { return e.outerHTML.slice(0, 80); }).join('\n')
EOF_SCRIPT
        is_deeply [$browser->complaints], [],
            "$where: the console has no message";

        my $text = $browser->evaluate($CONTRAST . $OF_TEXT);
        cmp_ok $text->{count}, '>', 50, "$where: there is text";
        cmp_ok $text->{ratio}, '>=', 4.5,
            "$where: contrast of text ($text->{whose})";
        my $pictures = $browser->evaluate($CONTRAST . $OF_PICTURES);
        cmp_ok $pictures->{count}, '>', 5, "$where: there are pictures";
        cmp_ok $pictures->{ratio}, '>=', 3,
            "$where: contrast of pictures ($pictures->{whose})";

        my $roles = roles($browser);
        is $roles->{table}, 2, "$where: tables for screen readers";
        is $roles->{columnheader}, 9 + 3, "$where: with their headings";
        is $roles->{rowheader}, 4 + 7, "$where: and those of rows";
        is $roles->{status}, 1, "$where: and what is the matter";
        write_file("$ENV{PAGE_SHOTS}/$name-$scheme.png", $browser->screenshot)
            if defined $ENV{PAGE_SHOTS};
    }
}

is $browser->evaluate('document.documentElement.lang'), 'en', 'its language';
like $browser->evaluate('document.title'),
    qr/^1 of 4 hosts down: 127\.0\.0\.1:\d+ - /, 'the title has the state';
is $browser->evaluate('document.querySelectorAll("script, img, iframe, object, '
    . 'form, input, [style], [onerror], b, i").length'), 0,
    'no element is anybody else\'s';
like $browser->evaluate('document.querySelector(".error").textContent'),
    qr/^421 <script>alert\("x"\)<\/script> & 'a' <img src=x onerror=/,
    'an error is text';
like $browser->evaluate('document.body.textContent'),
    qr/<script>alert\(2\)<\/script>"'&/, 'so is a key of the map';
unlike $browser->evaluate('document.body.textContent'), qr/\x{202e}/,
    'which turns no text around';
is_deeply $browser->evaluate('performance.getEntriesByType("resource")'
    . '.map(function (e) { return e.name; }).filter(function (name) {'
    . ' return !name.startsWith("data:"); })'), [], 'nothing else is fetched';

# What would be shown if text got out of its place after all.
$browser->evaluate('document.body.setAttribute("style", "display:none")');
is $browser->evaluate('getComputedStyle(document.body).display'), 'block',
    'the policy takes no other style';

$browser->open($server->url . '/x');
is $browser->evaluate('document.body.innerText.trim()'), '404 Not Found',
    'another name';

$agent->configure(routes => 'c.example ' . $good->destination . "\n");
$agent->forget;
$browser->view(width => 320, height => 640);
$browser->open($server->url . '/');
like $browser->evaluate('document.title'), qr/^The only host is up - /,
    'all is well';
is $browser->evaluate('document.querySelectorAll(".verdict.good").length'), 1,
    'and looks so';
cmp_ok $browser->evaluate($CONTRAST . $OF_TEXT)->{ratio}, '>=', 4.5,
    'contrast';

done_testing;
