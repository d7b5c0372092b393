# SPDX-License-Identifier: BSD-2-Clause
#
# Debian's Chromium without a window, spoken to by its DevTools protocol over
# two pipes (--remote-debugging-pipe: JSON texts that end with a NUL).
#
#   skip_or_fail(Browser->missing);
#   my $browser = Browser->new;
#   $browser->view(width => 320, height => 640, scheme => 'dark');
#   $browser->open('http://127.0.0.1:4711/');   # until all of it is there
#   is $browser->evaluate('document.title'), 'All is well';
#   is_deeply [$browser->complaints], [];       # of its console, since then
#   write_file('page.png', $browser->screenshot);
#
# evaluate: a script's value, of JSON's kinds; dies of what the script throws.
# call($method, {...}): a command of the protocol in the page; its result.

package Browser;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use Errno ();
use IO::Select ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Time::HiRes qw(time);

use Fixture;

my $PROGRAM = 'chromium';

# The browser itself may be slow to start.
my $SPAN = 2 * $Fixture::PATIENCE;

sub missing {
    my ($found) = capture($PROGRAM, '--version');

    return $found == 0 ? undef : "no $PROGRAM";
}

sub new {
    my ($class) = @_;
    my $folder = new_folder('browser');

    pipe my $read, my $commands or die "pipe: $!\n";
    pipe my $answers, my $write or die "pipe: $!\n";
    my $self = guard(bless {
        folder   => $folder,
        commands => $commands,
        answers  => $answers,
        buffer   => '',
        number   => 0,
        events   => [],
    }, $class);
    $self->{pid} = child(sub {
        _run($folder, fileno $read, fileno $write);
    });
    close $read;
    close $write;
    $commands->autoflush;
    $self->_attach;
    return $self;
}

# The protocol's descriptors are 3 and 4, which may be others' here.  There is
# no sandbox for root, and in containers none at all; the page is our own.
sub _run {
    my ($folder, @fds) = @_;

    POSIX::setsid();
    for my $fd (@fds) {
        $fd = POSIX::dup2($fd, $fd + 100) // die "dup2: $!\n";
    }
    POSIX::dup2($fds[$_], 3 + $_) // die "dup2: $!\n" for 0, 1;
    POSIX::close($_) for @fds;
    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
    open STDOUT, '>', "$folder/output" or die "$folder/output: $!\n";
    open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
    %ENV = (PATH => $ENV{PATH}, HOME => $folder, LANG => 'C.UTF-8',
        TZ => 'UTC');
    exec { $PROGRAM } $PROGRAM, '--headless', '--remote-debugging-pipe',
        '--no-sandbox', '--no-first-run', '--disable-gpu',
        '--disable-dev-shm-usage', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--no-proxy-server',
        "--user-data-dir=$folder/profile", 'about:blank'
        or die "$PROGRAM: $!\n";
}

sub _attach {
    my ($self) = @_;
    my $target = $self->_command({}, 'Target.createTarget',
        {url => 'about:blank'});

    $self->{session} = $self->_command({}, 'Target.attachToTarget',
        {targetId => $target->{targetId}, flatten => JSON::PP::true})
        ->{sessionId};
    $self->call("$_.enable") for qw(Page Runtime Log);
    return;
}

sub call {
    my ($self, $method, $parameters) = @_;

    return $self->_command({sessionId => $self->{session}}, $method,
        $parameters);
}

sub _command {
    my ($self, $more, $method, $parameters) = @_;
    my $number = ++$self->{number};
    my $end = time + $SPAN;

    print { $self->{commands} } JSON::PP->new->ascii->encode({
        id     => $number,
        method => $method,
        params => $parameters // {},
        %{$more},
    }), "\0" or die "browser: $!\n";
    while (1) {
        my $message = $self->_message($end);
        if (!defined $message->{id}) {
            push @{ $self->{events} }, $message;
            next;
        }
        next if $message->{id} != $number;
        croak "$method: $message->{error}{message}" if $message->{error};
        return $message->{result};
    }
}

# The next text that it sends.
sub _message {
    my ($self, $end) = @_;
    my $select = IO::Select->new($self->{answers});

    while (index($self->{buffer}, "\0") < 0) {
        croak 'the browser says nothing'
            if !$select->can_read(0.1 + $end - time) || time > $end;
        my $count = sysread $self->{answers}, $self->{buffer}, 1 << 16,
            length $self->{buffer};
        next if !defined $count && $!{EINTR};
        croak "the browser has ended:\n" . $self->_output if !$count;
    }
    my ($text, $rest) = split /\0/, $self->{buffer}, 2;
    $self->{buffer} = $rest;
    return JSON::PP->new->utf8->decode($text);
}

sub _output {
    my ($self) = @_;

    return read_file("$self->{folder}/output");
}

sub view {
    my ($self, %view) = @_;

    $self->call('Emulation.setDeviceMetricsOverride', {
        width             => $view{width},
        height            => $view{height},
        deviceScaleFactor => 1,
        mobile            => JSON::PP::false,
    });
    $self->call('Emulation.setEmulatedMedia', {features => [{
        name  => 'prefers-color-scheme',
        value => $view{scheme} // 'light',
    }]});
    return;
}

sub open {
    my ($self, $url) = @_;
    my $end = time + $SPAN;

    $self->{events} = [];
    my $result = $self->call('Page.navigate', {url => $url});
    croak "$url: $result->{errorText}" if $result->{errorText};
    while (!grep { $_->{method} eq 'Page.loadEventFired' }
        @{ $self->{events} }) {
        push @{ $self->{events} }, $self->_message($end);
    }
    return;
}

# A page may just be asking for itself again, on a machine that is slow.
sub evaluate {
    my ($self, $script) = @_;
    my $result;

    for my $try (1 .. 10) {
        $result = eval {
            $self->call('Runtime.evaluate', {
                expression    => $script,
                returnByValue => JSON::PP::true,
            });
        };
        last if $result;
        die $@ if $try == 10 || $@ !~ /context|navigated/i;
    }

    croak $result->{exceptionDetails}{exception}{description}
        if $result->{exceptionDetails};
    return $result->{result}{value};
}

# The last call has read all that was said before.
sub complaints {
    my ($self) = @_;

    $self->evaluate('0');
    return map { JSON::PP->new->canonical->encode($_->{params}) }
        grep { $_->{method} =~ /^(?:Runtime\.(?:consoleAPICalled
            |exceptionThrown)|Log\.entryAdded)$/x } @{ $self->{events} };
}

sub screenshot {
    my ($self) = @_;

    return decode_base64($self->call('Page.captureScreenshot',
        {captureBeyondViewport => JSON::PP::true})->{data});
}

sub stop {
    my ($self) = @_;

    return if !defined $self->{pid};
    # Its end, and that of all that it has started.
    close $self->{commands};
    end_child(delete $self->{pid});
    return;
}

1;
