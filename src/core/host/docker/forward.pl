# Hands on what comes to one port: perl -e PROGRAM PROTO LISTEN TARGET PORT. One process, no shell, no file, no state.
# TARGET is looked up for each connection, so that it may be away, come back and change its address meanwhile.
use strict;
use warnings;
use Errno qw(EAGAIN EINPROGRESS EINTR EWOULDBLOCK);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket;

my ($proto, $listen, $target, $port) = @ARGV;
my ($most, $piece, $idle) = (200, 32768, 60);
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = $SIG{INT} = sub { exit 0 };

sub quick { my ($handle) = @_; fcntl($handle, F_SETFL, fcntl($handle, F_GETFL, 0) | O_NONBLOCK) or die "fcntl: $!" }
sub later { $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR} }

# An answer is good for a second: a flood of connections must not become a flood of questions.
my ($address, $asked) = (undef, 0);
sub where {
  if (time != $asked) { $address = inet_aton($target); $asked = time }
  return defined $address ? pack_sockaddr_in($port, $address) : undef;
}

my $kind = $proto eq 'udp' ? SOCK_DGRAM : SOCK_STREAM;
socket(my $door, PF_INET, $kind, 0) or die "socket: $!";
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, pack_sockaddr_in($listen, INADDR_ANY)) or die "bind: $!";
quick($door);
sub watch { my ($bits, $handle) = @_; vec($$bits, fileno($handle), 1) = 1 }
sub woke { my ($bits, $handle) = @_; return defined fileno($handle) && vec($$bits, fileno($handle), 1) }

if ($proto eq 'udp') {
  # One socket to the target for each sender, so that answers find their way back; the longest silent gives way.
  my %by;
  for (;;) {
    my $in = '';
    watch(\$in, $_) for $door, map { $_->{to} } values %by;
    my $ready = select($in, undef, undef, 5);
    my $now = time;
    if ($ready > 0) {
      for my $from (keys %by) {
        my $one = $by{$from};
        next unless woke(\$in, $one->{to});
        if (defined recv($one->{to}, my $data, 65535, 0)) { send($door, $data, 0, $from); $one->{at} = $now }
        elsif (!later()) { delete $by{$from} }
      }
      for (1 .. 64) {
        last unless woke(\$in, $door);
        my $from = recv($door, my $data, 65535, 0);
        last unless defined $from;
        if (!$by{$from}) {
          my $to = where() or next;
          if (keys %by >= $most) { my ($old) = sort { $by{$a}{at} <=> $by{$b}{at} } keys %by; delete $by{$old} }
          socket(my $out, PF_INET, SOCK_DGRAM, 0) or next;
          quick($out);
          connect($out, $to) or next;
          $by{$from} = { to => $out, at => $now };
        }
        send($by{$from}{to}, $data, 0);
        $by{$from}{at} = $now;
      }
    }
    for my $from (keys %by) { delete $by{$from} if $now - $by{$from}{at} > $idle }
  }
}

# A pair is two ends; each has what waits to be written to it, whether its reading is over, and whether it was told so.
listen($door, 128) or die "listen: $!";
my %pairs;
my $count = 0;
sub end { my ($handle) = @_; return { on => $handle, out => '', eof => 0, shut => 0 } }
for (;;) {
  my ($in, $out) = ('', '');
  watch(\$in, $door) if keys %pairs < $most;
  for my $pair (values %pairs) {
    my ($near, $far) = @$pair{qw(near far)};
    watch(\$out, $far->{on}) if $pair->{dialing};
    next if $pair->{dialing};
    for ([$near, $far], [$far, $near]) {
      my ($one, $other) = @$_;
      watch(\$in, $one->{on}) if !$one->{eof} && length $other->{out} < $piece;
      watch(\$out, $one->{on}) if length $one->{out};
    }
  }
  next if select($in, $out, undef, undef) < 0;
  for my $id (keys %pairs) {
    my $pair = $pairs{$id};
    my ($near, $far) = @$pair{qw(near far)};
    my $lost = 0;
    if ($pair->{dialing}) {
      next unless woke(\$out, $far->{on});
      $pair->{dialing} = 0;
      $lost = unpack('i', getsockopt($far->{on}, SOL_SOCKET, SO_ERROR)) != 0;
    }
    for ([$near, $far], [$far, $near]) {
      last if $lost;
      my ($one, $other) = @$_;
      if (woke(\$in, $one->{on})) {
        my $got = sysread($one->{on}, $other->{out}, $piece, length $other->{out});
        if (!defined $got) { $lost = 1 unless later() }
        elsif ($got == 0) { $one->{eof} = 1 }
      }
      if (length $other->{out}) {
        my $put = syswrite($other->{on}, $other->{out});
        if (defined $put) { substr($other->{out}, 0, $put, '') }
        else { $lost = 1 unless later() }
      }
      if ($one->{eof} && !length $other->{out} && !$other->{shut}) { shutdown($other->{on}, 1); $other->{shut} = 1 }
    }
    delete $pairs{$id} if $lost || ($near->{shut} && $far->{shut});
  }
  if (woke(\$in, $door) && accept(my $near, $door)) {
    my $to = where();
    if (defined $to && socket(my $far, PF_INET, SOCK_STREAM, 0)) {
      for ($near, $far) { quick($_); setsockopt($_, SOL_SOCKET, SO_KEEPALIVE, 1); setsockopt($_, 6, 1, 1) }
      if (connect($far, $to) || $!{EINPROGRESS}) {
        $pairs{ ++$count } = { near => end($near), far => end($far), dialing => 1 };
      }
    }
  }
}
