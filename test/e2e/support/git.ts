/** A server in Perl, for inside a container: what Git's own program says over HTTP at port 8080, of repositories in /srv/git. git-http-backend(1). */
export const gitServer = String.raw`use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;
while (my $c = $server->accept) {
  next if fork;
  $SIG{CHLD} = 'DEFAULT';
  my ($method, $path) = split ' ', <$c>;
  my %h;
  while (defined(my $l = <$c>)) { $l =~ s/\r?\n//; last if $l eq ''; $h{lc $1} = $2 if $l =~ /^([^:]+):\s*(.*)/ }
  my ($info, $query) = split /\?/, $path, 2;
  read $c, my $body, $h{'content-length'} || 0;
  open my $in, '>', "/tmp/body.$$"; print $in $body; close $in; open STDIN, '<', "/tmp/body.$$";
  @ENV{qw(REQUEST_METHOD PATH_INFO QUERY_STRING CONTENT_TYPE CONTENT_LENGTH GIT_PROJECT_ROOT GIT_HTTP_EXPORT_ALL HTTP_CONTENT_ENCODING GIT_PROTOCOL)} =
    ($method, $info, $query // '', $h{'content-type'} // '', $h{'content-length'} // '', '/srv/git', 1, $h{'content-encoding'} // '', $h{'git-protocol'} // '');
  open my $git, '-|', '/usr/lib/git-core/git-http-backend';
  my $out = join '', <$git>;
  my $status = $out =~ s/^Status: ([^\r\n]*)\r?\n//m ? $1 : '200 OK';
  print $c "HTTP/1.1 $status\r\nConnection: close\r\n$out";
  exit;
}
`
